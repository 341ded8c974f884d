import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { encodeGgep } from '../../../protocol/wire/ggep.ts';
import {
  isOfMedia,
  MEDIA_TYPES,
  MediaBit,
  mediaBitsOf,
  mediaGgep,
  mediaMask,
  mediaTypeOf,
  wantedMedia,
} from '../../../protocol/wire/media-type.ts';
import { parseQuery } from '../../../protocol/wire/query.ts';
import { vectorPayload } from '../../support/vectors.ts';

t.test('the type of a file is told by the extension of its name, in any case', async t => {
  const types = {
    'alpha lime song.MP3': 'audio',
    'gamma unique wordlist.ogg': 'audio',
    'gamma delta.movie.mkv': 'video',
    'beta_report-2026.pdf': 'document',
    'a.b.PnG': 'image',
    'setup.exe': 'program',
    'tool.tar.gz': 'program',
    'x.torrent': 'torrent',
    'zz big filler.dat': null,
    mp3: null,
    'name.': null,
    'constructor.__proto__': null,
  };
  for (const [name, type] of Object.entries(types)) t.equal(mediaTypeOf(name), type, name);
});

t.test('a file of two kinds is found under both, programs by system', async t => {
  t.equal(mediaBitsOf('figure.ps'), MediaBit.Document | MediaBit.Image);
  t.ok(isOfMedia('setup.exe', MediaBit.Windows));
  t.notOk(isOfMedia('setup.exe', MediaBit.Unix));
  t.ok(isOfMedia('all.zip', MediaBit.Unix));
  t.ok(isOfMedia('all.zip', MediaBit.Windows));
  t.ok(isOfMedia('setup.exe', mediaMask(['program'])));
  t.ok(isOfMedia('anything', 0), 'no mask takes every file');
});

t.test('GGEP M is written as in the vector and read back', async t => {
  const audioVideo = mediaMask(['audio', 'video']);
  t.equal(encodeGgep([mediaGgep(audioVideo)], { cobs: true }).toString('hex'), 'c3814d410c');
  for (const type of MEDIA_TYPES) t.equal(wantedMedia([mediaGgep(mediaMask([type]))]), mediaMask([type]), type);
  t.equal(wantedMedia(parseQuery(vectorPayload('query_sha1_huge_ggep', Type.Query)).ggep), 48);
});

t.test('a mask without a known bit, or that is no number, asks for any file', async t => {
  for (const hex of ['', '00', '03', '000400', '0102030405060708ff'])
    t.equal(wantedMedia([{ id: 'M', payload: Buffer.from(hex, 'hex') }]), 0, hex);
  t.equal(wantedMedia([{ id: 'SO', payload: Buffer.of(4) }]), 0);
});
