/** Whether something is done at the word of the person, or of the guardian who speaks for a child. */
export function isOwnWord(by: string): boolean {
  return by === 'person' || by.startsWith('guardian:')
}
