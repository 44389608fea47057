/** Whether the database refused a booking because an account would have gone below nothing. */
export function isOverdrawn(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === 'account_not_overdrawn'
}
