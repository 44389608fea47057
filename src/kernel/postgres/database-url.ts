import { z } from 'zod'
import { Secret } from '../secret.ts'

/** The address of a PostgreSQL, with a password in it, as a setting. */
export const databaseUrlSchema = z
  .string('expected postgres://…')
  .regex(/^postgres(ql)?:\/\//, 'expected postgres://…')
  // Else what stands behind the first of two, or before another sign, would be taken for the host or its port, and told as it.
  .refine((url) => !/^[^?]*@[^?]*@/.test(url), 'expected no @ in the password: %40 stands for it there')
  .refine(
    (url) => !/^[^?]*:\/\/[^?@/]*\/[^?]*@/.test(url),
    'expected no / in the password: %2F stands for it there',
  )
  .refine(
    (url) => !/^[^?#@]*:\/\/[^?#@/]*:[^?#@/]*[?#].*@/.test(url),
    'expected no ? and no # in the password: %3F and %23 stand for them there',
  )
  .transform((url) => new Secret(url))
