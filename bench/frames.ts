// The frame reader alone: chunks in, frames counted.

import { Frame, FrameReader, ReadResult } from '../protocol/wire/frame-reader.ts';
import { encodeDescriptor } from '../protocol/wire/header.ts';

export const about = 'frame reader: descriptors cut out of a byte stream per second, for several chunk sizes';

const FRAMES = 200_000;
const SECONDS_MIN = 1;

/** Frames of 60 to 90 bytes, as queries are. */
function stream(): Buffer {
  const frames: Buffer[] = [];
  for (let i = 0; i < FRAMES; i++) {
    const guid = Buffer.alloc(16);
    guid.writeUInt32LE(i);
    frames.push(encodeDescriptor(guid, 0x80, 3, 1, Buffer.alloc(37 + (i % 31), 97)));
  }
  return Buffer.concat(frames);
}

function read(chunks: readonly Buffer[]): number {
  const reader = new FrameReader(65_535);
  const frame = new Frame();
  let frames = 0;
  for (const chunk of chunks) {
    reader.push(chunk);
    while (reader.next(frame) === ReadResult.Frame) frames++;
  }
  return frames;
}

export async function run(): Promise<Record<string, unknown>> {
  const bytes = stream();
  const result: Record<string, unknown> = {};
  for (const chunkBytes of [65_536, 1_460, 100]) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
    read(chunks); // warm
    let frames = 0;
    const began = process.hrtime.bigint();
    let ns = 0;
    while (ns < SECONDS_MIN * 1e9) {
      frames += read(chunks);
      ns = Number(process.hrtime.bigint() - began);
    }
    result[`chunk${chunkBytes}`] = { framesPerSecond: Math.round((frames / ns) * 1e9), nsPerFrame: round(ns / frames) };
  }
  return result;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
