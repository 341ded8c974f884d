// The drawing context of a view: canvas, theme, model, mouse zones and scroll positions.
import type { Canvas, Rect } from './canvas.ts';
import type { ListId, Message, Model, World } from './model.ts';
import type { Theme } from './theme.ts';

export interface Zone {
  readonly rect: Rect;
  /** null: only the wheel has an effect. */
  readonly message: Message | null;
  /** The list that the wheel moves. */
  readonly list: ListId | null;
}

/** Scroll positions, kept between frames. */
export interface FrameMemory {
  readonly tops: Map<ListId, number>;
}

export interface Stage {
  readonly canvas: Canvas;
  readonly theme: Theme;
  readonly model: Model;
  readonly world: World;
  readonly memory: FrameMemory;
  readonly zones: Zone[];
}

export interface View {
  readonly draw: (stage: Stage, rect: Rect) => void;
}

/** Splits a rectangle horizontally; the upper part has `height` lines. */
export function splitRows(rect: Rect, height: number): [Rect, Rect] {
  const upper = Math.max(0, Math.min(rect.height, height));
  return [
    { ...rect, height: upper },
    { ...rect, y: rect.y + upper, height: rect.height - upper },
  ];
}

/** Splits a rectangle vertically; the left part has `width` columns. */
export function splitColumns(rect: Rect, width: number): [Rect, Rect] {
  const left = Math.max(0, Math.min(rect.width, width));
  return [
    { ...rect, width: left },
    { ...rect, x: rect.x + left, width: rect.width - left },
  ];
}

/** Splits a rectangle into `count` columns of equal width, to within a cell. */
export function columnsOf(rect: Rect, count: number): Rect[] {
  const parts: Rect[] = [];
  for (let i = 0, x = rect.x; i < count; i++) {
    const width = Math.round(((i + 1) * rect.width) / count) - (x - rect.x);
    parts.push({ ...rect, x, width });
    x += width;
  }
  return parts;
}
