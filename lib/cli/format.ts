// How numbers look on the screen.

/** `12,345` */
export const count = (value: number): string => value.toLocaleString("en");

/** `1 epoch`, `12 epochs` */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;

/** `97.31 %` */
export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)} %`;

/** `0.0912`, and small or large losses such as `3.1e-7`. */
export const loss = (value: number): string =>
  value !== 0 && (value < 1e-3 || value >= 1e4) ? value.toExponential(1) : value.toFixed(4);

/** `2.2 MB`, `34 kB` */
export const bytes = (size: number): string =>
  size < 1e5 ? `${Math.ceil(size / 1e3)} kB` : `${(size / 1e6).toFixed(1)} MB`;

/** `0.41 s`, `12.3 s`, `3 min 20 s` */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 99.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
