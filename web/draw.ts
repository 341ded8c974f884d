// Updates a part of the document to match a sketch. Changes only differences, so focus, selection and scrolling stay.
import type { Child, Handler, Prop, Sketch } from './sketch.ts';

const SVG = 'http://www.w3.org/2000/svg';
const svgTags = new Set(['svg', 'path', 'polyline', 'line', 'g', 'rect', 'circle', 'text']);

/** Sketch of each element. */
const drawn = new WeakMap<Element, Sketch>();
const handlers = new WeakMap<Element, Map<string, Handler>>();

export function draw(parent: Element, children: readonly Child[]): void {
  const nodes = matched(parent, children);
  const kept = new Set<Node | null>(nodes);
  // Removes old nodes first, so that the kept ones need not be moved.
  for (const node of [...parent.childNodes]) if (!kept.has(node)) node.remove();
  let at: ChildNode | null = parent.firstChild;
  children.forEach((child, i) => {
    const node = nodes[i] ?? make(child);
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
    bring(node, child);
  });
}

/** Returns the existing node for each child; null where a new one is needed. */
function matched(parent: Element, children: readonly Child[]): (ChildNode | null)[] {
  const keyed = new Map<string, ChildNode>();
  const others: ChildNode[] = [];
  for (const node of parent.childNodes) {
    const key = node instanceof Element ? (drawn.get(node)?.key ?? null) : null;
    if (key === null) others.push(node);
    else keyed.set(key, node);
  }
  let next = 0;
  return children.map(child => {
    if (typeof child !== 'string' && child.key !== null) {
      const node = keyed.get(child.key);
      keyed.delete(child.key);
      return node !== undefined && fits(node, child) ? node : null;
    }
    for (let i = next; i < others.length; i++) {
      const node = others[i];
      if (node === undefined || !fits(node, child)) continue;
      next = i + 1;
      return node;
    }
    return null;
  });
}

function fits(node: Node, child: Child): boolean {
  if (typeof child === 'string') return node.nodeType === Node.TEXT_NODE;
  return node instanceof Element && drawn.get(node)?.tag === child.tag;
}

function make(child: Child): ChildNode {
  if (typeof child === 'string') return document.createTextNode(child);
  return svgTags.has(child.tag) ? document.createElementNS(SVG, child.tag) : document.createElement(child.tag);
}

function bring(node: ChildNode, child: Child): void {
  if (typeof child === 'string') {
    if (node.nodeValue !== child) node.nodeValue = child;
    return;
  }
  const element = node as Element;
  const before = drawn.get(element);
  if (before === child) return;
  drawn.set(element, child);
  for (const name of Object.keys(before?.props ?? {}))
    if (!(name in child.props)) setProp(element, name, null, before?.props[name] ?? null);
  for (const [name, value] of Object.entries(child.props))
    setProp(element, name, value ?? null, before?.props[name] ?? null);
  draw(element, child.children);
  // A select accepts a value only after its options exist.
  const { value } = child.props;
  if (element instanceof HTMLSelectElement && typeof value === 'string' && element.value !== value)
    element.value = value;
}

function setProp(element: Element, name: string, value: Prop, before: Prop): void {
  if (name.startsWith('on')) {
    setHandler(element, name.slice(2), typeof value === 'function' ? value : null);
    return;
  }
  if (value === before) return;
  if (name === 'value' && element instanceof HTMLInputElement) {
    // Does not overwrite input in the focused field.
    if (document.activeElement !== element) element.value = String(value ?? '');
  } else if (value === null || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? '' : String(value));
}

function setHandler(element: Element, type: string, handler: Handler | null): void {
  let ours = handlers.get(element);
  if (ours === undefined) {
    ours = new Map();
    handlers.set(element, ours);
  }
  const known = ours.has(type);
  if (handler === null) ours.delete(type);
  else ours.set(type, handler);
  // One permanent listener per type, which calls the latest handler.
  if (!known && handler !== null) element.addEventListener(type, event => handlers.get(element)?.get(type)?.(event));
}
