// SVG markup from names, attributes and text. What is drawn and where is the business of the files beside this one.

/** A piece of SVG that is well formed; only the functions below make one, so that no text gets past the escaping. */
export interface Markup {
  readonly svg: string;
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** `<name attribute="value">children</name>`; attributes that are undefined are left out, numbers are cut to hundredths of a pixel. */
export function element(name: string, attributes: Attributes, children: readonly Markup[] = []): Markup {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? rounded(value) : escape(value!)}"`);
  const open = `${name}${written.join("")}`;
  return {
    svg: children.length === 0 ? `<${open}/>` : `<${open}>${children.map(({ svg }) => svg).join("")}</${name}>`,
  };
}

export const group = (attributes: Attributes, children: readonly Markup[]): Markup =>
  element("g", attributes, children);

/** Characters, whatever they are. */
export const characters = (text: string): Markup => ({ svg: escape(text) });

/** A line of text; cut to `room` pixels where one is given, and then whole in its tooltip. */
export function text(content: string, attributes: Attributes, room = Infinity): Markup {
  const fitting = cut(content, room);
  const tooltip = fitting === content ? [] : [title(content)];
  return element("text", attributes, [...tooltip, characters(fitting)]);
}

/** What a browser shows when the pointer rests on the parent. */
export const title = (content: string): Markup => element("title", {}, [characters(content)]);

/** The longest beginning of `content` that is at most `room` pixels wide, with an ellipsis where something is missing. */
export function cut(content: string, room: number): string {
  if (widthOf(content) <= room) return content;
  const all = [...new Intl.Segmenter().segment(content)].map(({ segment }) => segment);
  let length = all.length;
  while (length > 0 && widthOf(`${all.slice(0, length).join("")}…`) > room) length--;
  return length === 0 ? "" : `${all.slice(0, length).join("").trimEnd()}…`;
}

/** `content` in lines of at most `room` pixels, broken between words. */
export function wrapped(content: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of content.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && widthOf(longer) <= room) lines[lines.length - 1] = longer;
    else lines.push(cut(word, room));
  }
  return lines;
}

/** Pixels that text of 12 pixels takes at most in the usual sans-serif fonts: without a browser nobody can measure it. */
export function widthOf(content: string): number {
  let width = 0;
  for (const character of content) {
    if (/[ijl.,:;'|!()[\] I1ftr]/.test(character)) width += 5.2;
    else if (/[mwMW@%—…]/.test(character)) width += 11.5;
    else if (/[\u0020-\u04ff‐-⁯−⁰-₟]/.test(character)) width += /[A-Z]/.test(character) ? 8.6 : 7.4;
    else width += 13; // wide scripts and symbols
  }
  return width;
}

function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}

// Characters that XML 1.0 has no way to write.
// eslint-disable-next-line no-control-regex -- these are the ones
const unwritable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it may stand in XML or HTML, between tags or in an attribute. */
export function escape(content: string): string {
  return content.replace(unwritable, "\ufffd").replace(/[&<>"']/g, (character) => entities[character]!);
}
