import fc from 'fast-check'

/** One of these texts, the first where it shrinks. */
export const oneOf = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts)
