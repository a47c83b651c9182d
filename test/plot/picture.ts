// Reads pictures back: a strict parser for the XML we write, and where the texts are. Not a test.
import { widthOf } from "#lib/plot/svg.js";

export interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Node[];
  /** The text directly in it. */
  readonly text: string;
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

function decode(text: string): string {
  return text.replace(/&([^;\s]*);?/g, (whole, name: string) => {
    if (!whole.endsWith(";") || !(name in entities)) throw new Error(`no entity: ${whole}`);
    return entities[name]!;
  });
}

/** The root element; throws where the text is no well-formed XML. */
export function parse(xml: string): Node {
  type Open = { name: string; attributes: Record<string, string>; children: Node[]; text: string };
  const top: Open = { name: "", attributes: {}, children: [], text: "" };
  const stack = [top];
  let at = 0;
  for (const match of xml.matchAll(/<(\/?)([\w:-]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/g)) {
    const between = xml.slice(at, match.index);
    if (/[<>]/.test(between)) throw new Error(`stray bracket: ${between}`);
    stack.at(-1)!.text += decode(between);
    at = match.index + match[0].length;
    const [, close, name, written, single] = match as unknown as [string, string, string, string, string];
    if (close) {
      const ended = stack.pop()!;
      if (ended.name !== name) throw new Error(`</${name}> ends <${ended.name}>`);
      continue;
    }
    const pairs = [...written.matchAll(/ ([\w:-]+)="([^"]*)"/g)].map(
      ([, key, value]) => [key!, decode(value!)] as const,
    );
    if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw new Error(`an attribute twice: ${written}`);
    const node: Open = { name, attributes: Object.fromEntries(pairs), children: [], text: "" };
    stack.at(-1)!.children.push(node);
    if (!single) stack.push(node);
  }
  if (stack.length !== 1 || top.children.length !== 1 || at !== xml.length) throw new Error("not one closed element");
  return top.children[0]!;
}

/** All elements of a name, and with a class where one is given, in order. */
export function all(node: Node, name: string, className?: string): Node[] {
  const own = node.name === name && (className === undefined || classes(node).includes(className)) ? [node] : [];
  return [...own, ...node.children.flatMap((child) => all(child, name, className))];
}

export const classes = (node: Node): string[] => (node.attributes.class ?? "").split(" ");

export const tooltip = (node: Node): string | undefined => node.children.find(({ name }) => name === "title")?.text;

/** The points of a path of straight lines, a list per piece. */
export function points(path: Node): (readonly [number, number])[][] {
  const pieces = path.attributes.d!.split("M").slice(1);
  return pieces.map((piece) => [...piece.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const)); // prettier-ignore
}

export interface Place {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where each text is, with its estimated width. */
export function places(root: Node): Place[] {
  return all(root, "text").map((node) => {
    const { x, y, transform, class: look = "" } = node.attributes;
    const anchor = node.attributes["text-anchor"] ?? "start";
    const width = widthOf(node.text) * (look.includes("title") ? 1.25 : 1);
    const start = anchor === "start" ? 0 : anchor === "middle" ? -width / 2 : -width;
    const [across, down] = [Number(x), Number(y)];
    const box = { text: node.text, left: across + start, right: across + start + width, top: down - 10, bottom: down + 3 };
    if (transform === undefined) return box;
    const turn = /^rotate\(-90 ([\d.-]+) ([\d.-]+)\)$/.exec(transform)!;
    const [cx, cy] = [Number(turn[1]), Number(turn[2])];
    return { text: node.text, left: cx + (box.top - cy), right: cx + (box.bottom - cy), top: cy - (box.right - cx), bottom: cy - (box.left - cx) };
  }); // prettier-ignore
}
