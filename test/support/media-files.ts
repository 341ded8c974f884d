// Media files made by hand, as small as they can be: whole ones, and ones made to hurt a parser.

/** A WAV of silence: 8,000 bytes a second, with tags as RIFF INFO. */
export function wav(seconds: number, tags: Readonly<Record<string, string>> = {}): Buffer {
  const info = Object.entries(tags).map(([id, text]) => chunk(id, Buffer.from(`${text}\0`, 'latin1')));
  const format = Buffer.alloc(16);
  format.writeUInt16LE(1, 0); // PCM
  format.writeUInt16LE(1, 2);
  format.writeUInt32LE(8_000, 4);
  format.writeUInt32LE(8_000, 8);
  format.writeUInt16LE(1, 12);
  format.writeUInt16LE(8, 14);
  const list = chunk('LIST', Buffer.concat([Buffer.from('INFO'), ...info]));
  return chunk(
    'RIFF',
    Buffer.concat([Buffer.from('WAVE'), chunk('fmt ', format), list, chunk('data', Buffer.alloc(8_000 * seconds))]),
  );
}

function chunk(id: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

/** An MPEG-4 atom that says `bytes` of itself. */
function atom(name: string, data: Buffer, bytes = data.length + 8): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(bytes, 0);
  head.write(name, 4, 'latin1');
  return Buffer.concat([head, data]);
}

const FTYP = atom('ftyp', Buffer.from('M4A \0\0\0\0M4A mp42'));

/** Whose parsing must end soon, in little memory, whatever it gives. */
export const HOSTILE_MEDIA: Readonly<Record<string, Buffer>> = {
  'empty.mp3': Buffer.alloc(0),
  'truncated.wav': wav(1, { INAM: 'cut' }).subarray(0, 60),
  'huge-atom.m4a': Buffer.concat([FTYP, atom('moov', Buffer.alloc(64), 0xffff_fff0)]),
  'endless-atom.m4a': Buffer.concat([FTYP, atom('moov', atom('udta', atom('meta', Buffer.alloc(8), 0), 1), 0)]),
  'deep-atoms.m4a': Buffer.concat([FTYP, nested(2_000)]),
  'huge-id3.mp3': Buffer.from('49443304000f7f7f7f7f54495432ffffffff0000', 'hex'),
  'id3-bomb.mp3': Buffer.concat([
    Buffer.from('4944330300000000ffff', 'hex').fill(0x7f, 8, 10),
    Buffer.alloc(20_000, 'TXXX\0\0\0\x01\0\0\0'),
  ]),
  'own-parent.mkv': Buffer.from(
    '1a45dfa3a34282886d6174726f736b611853806701ffffffffffffff1654ae6b01ffffffffffffffae01ffffffffffffff',
    'hex',
  ),
  'noise.flac': Buffer.concat([Buffer.from('fLaC'), Buffer.alloc(5_000, 0x84)]),
  'zeros.ogg': Buffer.concat([Buffer.from('OggS'), Buffer.alloc(5_000)]),
};

function nested(depth: number): Buffer {
  const atoms = Array.from({ length: depth }, (_, i) => atom('moov', Buffer.alloc(0), 8 * (depth - i)));
  return Buffer.concat(atoms);
}
