/** The one of `names` that `word` was probably meant to be; undefined where none is near. */
export function nearestName(word: string, names: Iterable<string>): string | undefined {
  // What a person mistypes is short; a long word would only cost time.
  if (word.length > 64) return undefined;
  const plain = plainly(word);
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(plain.length / 3)) + 1;
  for (const name of names) {
    const distance = distanceBetween(plain, plainly(name));
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

/** `; did you mean NAME?`, or what there is where nothing is near. */
export function hintFor(word: string, names: readonly string[]): string {
  const nearest = nearestName(word, names);
  if (nearest !== undefined) return `; did you mean ${nearest}?`;
  return names.length === 0 ? "" : `; there are: ${names.toSorted().join(", ")}`;
}

/** Neither case nor `-` and `_` are what a word is told by. */
function plainly(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, "");
}

/** How many letters must be changed, put in, left out or swapped with the next (optimal string alignment). */
function distanceBetween(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let least = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (isSame ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) least = Math.min(least, at(beforeLast, j - 2) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
