// Reads and writes THEX, the form in which servents send hash trees: a DIME message of an XML description and of all nodes, breadth
// first from the root (Tree Hash EXchange format, Chapweske and Mohr, 2003).
import { ProtocolError } from '../errors.ts';
import { formatBase32, TIGER_BYTES } from '../wire/urn.ts';
import { DimeType, encodeDime, parseDime } from './dime.ts';
import { LEAF_BYTES } from './tiger-engine.ts';
import { TigerTree } from './tiger-tree.ts';
import { DEPTH_MAX, fullDepth, keptDepth, sliceCount } from './tree-shape.ts';

export const THEX_MEDIA_TYPE = 'application/dime';
/** 16,383 nodes of a tree of DEPTH_MAX take 384 KiB. gtk-gnutella takes 260 KiB. */
export const THEX_BYTES_MAX = 400 << 10;
/** Descriptions have about 400. */
const XML_BYTES_MAX = 4096;

const XML_TYPE = 'text/xml';
const TREE_TYPE = 'http://open-content.net/spec/thex/breadthfirst';
const DIGEST = 'http://open-content.net/spec/digest/tiger';
const DTD = 'http://open-content.net/spec/thex/thex.dtd';

/** What the receiver knows of the file before it asks. */
export interface ExpectedTree {
  readonly size: number;
  /** Null: any. */
  readonly root: Uint8Array | null;
}

/** Writes a tree. `uuid` ties the two records together, as 8-4-4-4-12 hex digits; by default it is made of the root. */
export function encodeThex(tree: TigerTree, uuid = uuidOf(tree.root)): Buffer {
  const id = `uuid:${uuid}`;
  const xml = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<!DOCTYPE hashtree SYSTEM "${DTD}">`,
    '<hashtree>',
    `<file size="${tree.size}" segmentsize="${LEAF_BYTES}"/>`,
    `<digest algorithm="${DIGEST}" outputsize="${TIGER_BYTES}"/>`,
    `<serializedtree depth="${tree.depth}" type="${TREE_TYPE}" uri="${id}"/>`,
    '</hashtree>',
    '',
  ].join('\r\n');
  return encodeDime([
    { typeFormat: DimeType.MediaType, type: XML_TYPE, id: '', data: Buffer.from(xml) },
    { typeFormat: DimeType.Uri, type: TREE_TYPE, id, data: Buffer.concat(tree.levels) },
  ]);
}

/** A UUID of 16 of its bytes (version 8 of RFC 9562). */
function uuidOf(root: Buffer): string {
  const hex = root.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(12, 15)}-8${hex.slice(15, 18)}-${hex.slice(18, 30)}`;
}

/**
 * Reads the tree of a file that is known by size and mostly by root, no deeper than servents keep it. Every node of every level taken must fit
 * those below it. Levels that are cut off or too many are left out. The description is read leniently and no DTD is fetched.
 * Throws DIME_MALFORMED, THEX_TOO_LONG, THEX_MALFORMED (no such tree) or THEX_MISMATCH (that of another file, or made up).
 */
export function parseThex(bytes: Buffer, { size, root }: ExpectedTree): TigerTree {
  if (bytes.length > THEX_BYTES_MAX) throw tooLong(bytes.length, THEX_BYTES_MAX);
  const records = parseDime(bytes);
  const xml = records.find(({ type }) => type.toLowerCase() === XML_TYPE)?.data;
  const nodes = records.find(({ type }) => type.toLowerCase() === TREE_TYPE)?.data;
  if (xml === undefined || nodes === undefined) throw malformed('a description and a tree are wanted');
  if (xml.length > XML_BYTES_MAX) throw tooLong(xml.length, XML_BYTES_MAX);
  const announced = describedDepth(xml.toString('latin1'), size);
  if (announced > fullDepth(size)) throw malformed(`depth ${announced} of a file of ${size} bytes`);
  if (nodes.length === 0 || nodes.length % TIGER_BYTES !== 0) throw malformed(`${nodes.length} bytes of nodes`);
  const levels = levelsIn(nodes, size, Math.min(announced, DEPTH_MAX));
  const depth = levels.length - 1;
  const leaves = levels[depth];
  if (leaves === undefined || !levels[0]?.equals(root ?? levels[0])) throw mismatch('it has another root', root);
  const tree = new TigerTree(size, depth, leaves);
  if (!tree.levels.every((level, i) => levels[i]?.equals(level))) throw mismatch('its nodes do not fit', root);
  return tree.toDepth(keptDepth(size));
}

/** Gives the depth that a description tells, once all else in it is right. */
function describedDepth(xml: string, size: number): number {
  const told = (element: string, attribute: string): string => {
    const [, attributes = ''] = new RegExp(`<${element}\\s([^<>]*)`, 'i').exec(xml) ?? [];
    const [, value] = new RegExp(`(?:^|\\s)${attribute}\\s*=\\s*["']?([^\\s"']+)`, 'i').exec(attributes) ?? [];
    if (value === undefined) throw malformed(`no ${attribute} of ${element}`);
    return value.replace(/\/$/, '');
  };
  const right = (element: string, attribute: string, value: string): void => {
    const other = told(element, attribute);
    if (other !== value) throw mismatchOf(element, attribute, other, value);
  };
  right('file', 'size', `${size}`);
  right('file', 'segmentsize', `${LEAF_BYTES}`);
  right('digest', 'algorithm', DIGEST);
  right('digest', 'outputsize', `${TIGER_BYTES}`);
  const depth = told('serializedtree', 'depth');
  if (!/^\d{1,3}$/.test(depth)) throw malformed(`depth ${depth.slice(0, 20)}`);
  return Number(depth);
}

/** Cuts the nodes into whole levels from the root down, at most to `depthMax`. */
function levelsIn(nodes: Buffer, size: number, depthMax: number): Buffer[] {
  const levels: Buffer[] = [];
  for (let at = 0; levels.length <= depthMax; ) {
    const end = at + sliceCount(size, levels.length) * TIGER_BYTES;
    if (end > nodes.length) break;
    levels.push(nodes.subarray(at, end));
    at = end;
  }
  return levels;
}

function tooLong(bytes: number, max: number): ProtocolError {
  return new ProtocolError('THEX_TOO_LONG', `${bytes} bytes where a hash tree has ${max} at most`);
}

function malformed(what: string): ProtocolError {
  return new ProtocolError('THEX_MALFORMED', `not a hash tree: ${what}`);
}

function mismatch(what: string, root: Uint8Array | null): ProtocolError {
  const name = root === null ? 'the file' : formatBase32(root);
  return new ProtocolError('THEX_MISMATCH', `not the hash tree of ${name}: ${what}`);
}

function mismatchOf(element: string, attribute: string, other: string, value: string): ProtocolError {
  return new ProtocolError('THEX_MISMATCH', `${attribute} of ${element} is ${other.slice(0, 50)}, not ${value}`);
}
