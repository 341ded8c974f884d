// Counts, within one search, what spammers must repeat and honest servents do not. Bounded; a fixed amount of work for each source.
import { isRun } from '../../search/fake-name.ts';
import { queryWords } from '../../search/tokenizer.ts';
import { reachOf } from '../../wire/endpoint.ts';
import { guidKey } from '../../wire/guid.ts';
import { type MediaType, mediaTypeOf } from '../../wire/media-type.ts';
import type { FoundContent, FoundSource } from './found-content.ts';
import type { SpamMark } from './spam-mark.ts';

/** Names without a common word, beyond those searched for, that contents of exactly one size need to be a cluster. */
const CLUSTER_NAMES = 8;
const CLUSTER_BYTES_MIN = 64 * 1024;
/** Sizes of one name at one address that make an echo. A person has the same title two or three times. */
const ECHO_SIZES = 4;
/** Words with letters that were searched for: below, as for `readme` or `track 01`, one address honestly has many of a name. */
const ECHO_WORDS_MIN = 2;
/** The same, for a program whose name is nothing but the words. */
const ECHO_PROGRAM_WORDS_MIN = 3;
const ECHO_PROGRAM_SOURCES_MAX = 2;
/** Different types that one content is named as. Two are usual: the same bytes as .mp4 and as .m4a. */
const TYPES_MIN = 3;
/** Sources of a content whose names are looked at. */
const NAMES_MAX = 50;
/** Names at addresses, and sizes, that are counted; what comes later in a search is not. */
const GROUPS_MAX = 4_096;
const NAME_CHARACTERS_MAX = 200;
const KEY_CHARACTERS_MAX = 64;
/** Types of which compressed files have sizes by chance; documents and images of one name, or one size, are many. */
const COUNTED: ReadonlySet<MediaType | null> = new Set(['audio', 'video', 'program']);
/** As long as they play equally long, their sizes are equal. */
const UNCOMPRESSED = /\.(wav|aiff?|aifc|au|snd|voc)$/i;
const LETTERS = /\p{L}{2}/u;

/** The same name at the same address. */
interface Echo {
  /** At most ECHO_SIZES. */
  readonly sizes: Set<number>;
}

export class SpamClusters {
  readonly #words: ReadonlySet<string>;
  readonly #lettered: number;
  /** By size the names of contents, without the words searched for and without numbers; at most CLUSTER_NAMES each. */
  readonly #sizes = new Map<number, Set<string>>();
  readonly #echoes = new Map<string, Echo>();
  readonly #echoOf = new WeakMap<FoundSource, Echo>();

  /** `words`: canonical words searched for; none for a search by hash and for a browse, where names repeat honestly. */
  constructor(words: readonly string[]) {
    this.#words = new Set(words);
    this.#lettered = words.filter(word => LETTERS.test(word)).length;
  }

  /** Called once for each source, after it was added to its content. */
  note(content: FoundContent, source: FoundSource): void {
    if (this.#words.size === 0) return;
    const { name } = source;
    if (!COUNTED.has(mediaTypeOf(name))) return;
    const others = this.#otherWords(name);
    if (content.sources.length === 1) this.#noteSize(content, others);
    if (this.#lettered >= ECHO_WORDS_MIN) this.#noteEcho(content.size, source, others);
  }

  marksOf(content: FoundContent): SpamMark[] {
    const marks: SpamMark[] = [];
    const types = typesOf(content);
    if (types.size >= TYPES_MIN)
      marks.push({ reason: 'many_types', text: `the same bytes are named as ${[...types].join(', ')}` });
    if ((this.#sizes.get(content.size)?.size ?? 0) >= CLUSTER_NAMES && COUNTED.has(mediaTypeOf(content.name)))
      marks.push({
        reason: 'size_cluster',
        text: `${CLUSTER_NAMES} or more contents under unlike names have exactly ${content.size} bytes`,
      });
    const echo = this.#echoText(content);
    if (echo !== null) marks.push({ reason: 'echo', text: echo });
    return marks;
  }

  /** Volumes of archives, images of disks and the like have round sizes. */
  #noteSize({ size, name }: FoundContent, others: readonly string[]): void {
    if (size < CLUSTER_BYTES_MIN || size % 512 === 0 || size % 1000 === 0 || UNCOMPRESSED.test(name)) return;
    let names = this.#sizes.get(size);
    if (names === undefined) {
      if (this.#sizes.size >= GROUPS_MAX) return;
      names = new Set();
      this.#sizes.set(size, names);
    }
    const plain = others.filter(word => LETTERS.test(word) && !/\p{Nd}/u.test(word));
    const [first] = plain;
    // the parts of a series have a word in common
    if (names.size < CLUSTER_NAMES && first !== undefined && !plain.some(word => names.has(word))) names.add(first);
  }

  #noteEcho(size: number, source: FoundSource, others: readonly string[]): void {
    const { host, port } = source.endpoint;
    // behind a private address there may be anybody
    const where = reachOf(host) === 'public' ? host : `${host}:${port} ${guidKey(source.serventGuid)}`;
    const key = `${where}\n${others.join(' ').slice(0, KEY_CHARACTERS_MAX)}`;
    let echo = this.#echoes.get(key);
    if (echo === undefined) {
      if (this.#echoes.size >= GROUPS_MAX) return;
      echo = { sizes: new Set() };
      this.#echoes.set(key, echo);
    }
    if (echo.sizes.size < ECHO_SIZES) echo.sizes.add(size);
    this.#echoOf.set(source, echo);
  }

  #echoText({ name, sources }: FoundContent): string | null {
    if (this.#lettered < ECHO_WORDS_MIN) return null;
    const isEcho = (source: FoundSource): boolean => (this.#echoOf.get(source)?.sizes.size ?? 0) >= ECHO_SIZES;
    if (sources.every(isEcho))
      return `one address offers ${ECHO_SIZES} or more sizes under this name, for the words asked`;
    const isBare =
      this.#lettered >= ECHO_PROGRAM_WORDS_MIN &&
      sources.length <= ECHO_PROGRAM_SOURCES_MAX &&
      isRun(name) &&
      this.#otherWords(name).length === 0;
    return isBare ? 'a program whose name is nothing but the words asked' : null;
  }

  /** Canonical words of the name without its extension that were not searched for. */
  #otherWords(name: string): string[] {
    const dot = name.lastIndexOf('.');
    const stem = name.slice(0, Math.min(NAME_CHARACTERS_MAX, dot > 0 ? dot : name.length));
    return queryWords(stem).filter(word => !this.#words.has(word));
  }
}

function typesOf({ sources }: FoundContent): Set<MediaType> {
  const types = new Set<MediaType>();
  for (let at = 0; at < sources.length && at < NAMES_MAX; at++) {
    const type = mediaTypeOf(sources[at]?.name ?? '');
    if (type !== null) types.add(type);
  }
  return types;
}
