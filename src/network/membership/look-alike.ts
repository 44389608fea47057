/**
 * Folds letters together that are mistaken for one another in a name of lower-case letters, digits and hyphens
 * (Unicode TR39 calls the result a skeleton; no other letters can stand in a name). Two names with the same
 * skeleton look alike.
 */
export function skeletonOf(name: string): string {
  const folded = name
    .replaceAll('-', '')
    .replaceAll(/[1il]/g, 'l')
    .replaceAll('0', 'o')
    .replaceAll('2', 'z')
    .replaceAll('5', 's')
    .replaceAll('8', 'b')
  return folded.replaceAll('rn', 'm').replaceAll('vv', 'w').replaceAll('cl', 'd')
}
