// Description of elements as plain data: views make it, draw.ts applies it to the document.

export type Handler = (event: Event) => void;
export type Prop = string | number | boolean | null | Handler;

export interface Sketch {
  readonly tag: string;
  /** Identifies the element among its siblings across draws. */
  readonly key: string | null;
  /** `on…`: handlers; true and false set and remove an attribute; null: absent. */
  readonly props: Readonly<Record<string, Prop>>;
  readonly children: readonly Child[];
}

/** Makes a sketch. Texts become text nodes, never markup. */
export type Child = Sketch | string;
type Loose = Child | null | readonly Loose[];

export type Props = Readonly<Record<string, Prop | undefined>> & { readonly key?: string };

/** Flattens lists and removes nulls. */
export function h(tag: string, { key, ...props }: Props = {}, ...children: Loose[]): Sketch {
  return { tag, key: key ?? null, props: props as Sketch['props'], children: children.flatMap(flat) };
}

function flat(child: Loose): Child[] {
  if (child === null) return [];
  return Array.isArray(child) ? child.flatMap(flat) : [child as Child];
}

/** Returns all text in order; for tests and labels. */
export function textOf(child: Child): string {
  return typeof child === 'string' ? child : child.children.map(textOf).join('');
}
