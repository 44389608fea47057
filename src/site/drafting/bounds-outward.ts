/**
 * The least of 1, 2 and 5 times a power of ten that is past a number above 0: it says of the number how large it is, about, and no digit
 * of it; what is one of these itself becomes the next.
 */
export function pastOutward(value: number): number {
  if (value < SMALLEST) return SMALLEST
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 5, 10, 20].find((times) => times * power > value * (1 + Number.EPSILON)) ?? 20
  return Number((step * power).toPrecision(1))
}

/** Bounds around what was seen, from nought where nothing is below it; `undefined` where no number is past it. */
export function boundsOutward({
  low,
  high,
}: {
  low: number
  high: number
}): readonly [number, number] | undefined {
  const least = low < 0 ? -pastOutward(-low) : 0
  const greatest = high > 0 ? pastOutward(high) : least === 0 ? 1 : 0
  return Number.isFinite(least) && Number.isFinite(greatest) ? [least, greatest] : undefined
}

/** The most rows of a person that are allowed, from the most that one has: 1 where nobody has more. */
export function rowsOutward(most: number): number {
  return most <= 1 ? 1 : pastOutward(most)
}

/** Nearer to nought nothing is measured, and numbers lose their digits. */
const SMALLEST = 1e-9
