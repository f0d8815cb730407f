/** Shares of the font's size, of the widest system font that is common (DejaVu Sans): elsewhere there is more room. */
const WIDTHS: readonly [RegExp, number][] = [
  [/[ .,:;'|!iIjl·]/, 0.36],
  [/[fr()[\]t/-]/, 0.45],
  [/[mwMW@%–—→]/, 0.99],
  [/[A-Z×≥≤+=]/, 0.78],
];
const USUAL_WIDTH = 0.64;

/** How wide a text is at the most, by the widths of its letters. */
export function widthOf(text: string, fontSize: number): number {
  let width = 0;
  for (const letter of text) width += WIDTHS.find(([letters]) => letters.test(letter))?.[1] ?? USUAL_WIDTH;
  return width * fontSize;
}

/** Lines no wider than that, broken at spaces, and inside of words only where one is too wide by itself. */
export function wrap(text: string, width: number, fontSize: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((each) => pieces(each, width, fontSize))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && widthOf(longer, fontSize) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

function pieces(word: string, width: number, fontSize: number): string[] {
  const found = [""];
  for (const letter of word) {
    const last = found.length - 1;
    if (widthOf(`${found[last]}${letter}`, fontSize) > width) found.push(letter);
    else found[last] += letter;
  }
  return found;
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
