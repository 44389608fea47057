/** A word as a shell takes it for one and for nothing more: a text from elsewhere stands in a command that is to be copied. */
export function shellWord(text: string): string {
  return /^[\w.,/@:+][\w.,/@:+-]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
