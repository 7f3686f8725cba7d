/** Numbers, sizes, times and tables as people read them. Pure. */

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 record`, `2 records`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Rows as columns, two spaces apart; columns named in `right` are aligned to the right. Empty columns are left out. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly string[],
): string[] {
  const used = header.map((_, column) => rows.some((row) => (row[column] ?? "") !== ""));
  const all = [header, ...rows].map((row) => row.filter((_, column) => used[column]));
  const names = header.filter((_, column) => used[column]);
  const widths = names.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column] ?? ""))));
  return all.map((row) =>
    row
      .map((cell, column) => {
        const padding = " ".repeat((widths[column] ?? 0) - displayWidth(cell));
        return right.includes(names[column] ?? "") ? padding + cell : cell + padding;
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Code points; wide characters are rare in scope names and cost only a crooked column. */
function displayWidth(text: string): number {
  return [...text].length;
}
