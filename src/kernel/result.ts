/**
 * An expected outcome: the value that was asked for, or what was said instead.
 * Broken promises (a dependency that failed, a bug) are exceptions and never travel in a `Result`.
 */
export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }

/** The outcome that carries a value. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

/** The outcome that says what was wrong. */
export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error }
}
