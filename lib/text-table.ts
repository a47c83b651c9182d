// Columns of text for reports: words to the left, numbers to the right. Says nothing of its own.

/** Lines of equal columns, two spaces apart; `words` are the columns to be aligned at the left. */
export function textTable(rows: readonly (readonly string[])[], words: readonly number[] = [0]): string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (words.includes(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
}
