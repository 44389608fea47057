/**
 * Signs that turn the direction of all that follows (UAX #9, §2.1 to §2.5: embeddings, overrides and isolates), so that a text is read as
 * another one; to be put into a class of a regular expression with the flag `u`. Marks of one place, which texts from right to left need,
 * are not among them; `\p{Bidi_Control}` has both.
 */
export const TURNING_SIGNS = String.raw`\u202A-\u202E\u2066-\u2069`
