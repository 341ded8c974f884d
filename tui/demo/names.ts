// Names for the demo: invented bands, songs and servents, and names with unsafe characters.

export const ARTISTS = [
  'Blue Harbour',
  'The Paper Kites Club',
  'Nina Okafor',
  'Los Faroles',
  'Остров',
  '雨の駅',
  'Cosmic Plumbers',
  'Ålesund Quartet',
  'DJ Marmalade',
  'The Late Buses',
  'Zoë & the Owls',
  'Kite Theory',
  'Old Radio',
  'Teal Foxes',
  'Grupo Canela',
  'Midnight Ferry',
] as const;

export const TITLES = [
  'Moon over Water',
  'Seven Doors',
  'Café Central',
  'Rooftop Rain',
  'Letters Home',
  'Slow Train North',
  'Paper Boats',
  'Green Lamp',
  'Sunday Static',
  'Glass Harbour',
  'The Long Way Round',
  'Winter Market',
  '花火',
  'Orange Sky',
  'First Snow',
  'Night Bus',
  'Small Hours',
  'Copper Wire',
] as const;

export const THINGS = [
  'debian-13.2-netinst.iso',
  'openstreetmap-europe.pbf',
  'public-domain-atlas.pdf',
  'alice-in-wonderland.epub',
  'moby-dick-audiobook.zip',
  'field-recordings-forest.flac',
  'nasa-apollo-17-panorama.tiff',
  'big-buck-bunny-1080p.mkv',
  'gutenberg-top-100.tar.gz',
  'bach-cello-suites.flac',
] as const;

export const ENDINGS = ['mp3', 'ogg', 'flac', 'm4a'] as const;

export const SERVENTS = [
  'gtk-gnutella/1.2.2',
  'LimeWire/5.5.16',
  'servent/0.1.0',
  'WireShare/6.0.2',
  'gtk-gnutella/1.3.0',
  'BearShare 5.2',
  'Shareaza 2.7.10',
  'MLDonkey 3.2.1',
] as const;

export const VENDORS = ['GTKG', 'LIME', 'SERV', 'WSHR', 'GTKG', 'BEAR', 'RAZA', 'MLDK'] as const;

export const ASKED = [
  'blue harbour',
  'moon over water flac',
  'debian netinst',
  'jazz piano live',
  'open street map',
  'cafe central',
  'audiobook moby dick',
  'nasa panorama',
  'slow train north',
  'bach cello',
  'live 2009',
  'rain sounds',
  '雨の駅 花火',
  'los faroles',
  'radio drama',
  'public domain film',
  'field recordings',
  'winter market remix',
  'guitar lesson',
  'kite theory seven doors',
  'night bus',
  'epub alice',
  'orange sky',
  'first snow',
] as const;

/** Control characters, tags, direction marks, stacked accents, and a long name. */
export const HOSTILE = [
  'free\u001b[2J\u001b[31m money.exe',
  '{bold}{red-fg}click me{/}.avi',
  '\u202egpj.exe holiday',
  'z\u0300\u0301\u0302\u0303\u0304\u0305\u0306a\u0300\u0301\u0302\u0303lgo.txt',
  `very ${'long '.repeat(30)}name.txt`,
  'tab\tand\nnewline\r.mp3',
  '👩‍👩‍👧‍👦 family 🎉 party 한국어 노래.mp4',
] as const;
