// What is to be on the page, as plain data: views make it, draw.ts brings the document to it, tests read it.

export type Handler = (event: Event) => void;
export type Prop = string | number | boolean | null | Handler;

export interface Sketch {
  readonly tag: string;
  /** Tells it from its siblings from one picture to the next. */
  readonly key: string | null;
  /** `on…` are handlers; true and false set and take away an attribute; null is not there. */
  readonly props: Readonly<Record<string, Prop>>;
  readonly children: readonly Child[];
}

/** Texts stay texts: nothing that a stranger wrote is ever read as markup. */
export type Child = Sketch | string;
type Loose = Child | null | readonly Loose[];

export type Props = Readonly<Record<string, Prop | undefined>> & { readonly key?: string };

/** Nulls are left out, lists taken apart. */
export function h(tag: string, { key, ...props }: Props = {}, ...children: Loose[]): Sketch {
  return { tag, key: key ?? null, props: props as Sketch['props'], children: children.flatMap(flat) };
}

function flat(child: Loose): Child[] {
  if (child === null) return [];
  return Array.isArray(child) ? child.flatMap(flat) : [child as Child];
}

/** All text in it, in order; for tests and labels. */
export function textOf(child: Child): string {
  return typeof child === 'string' ? child : child.children.map(textOf).join('');
}
