import { z } from 'zod'
import { Secret } from '../secret.ts'

/**
 * User and password, host and port, database, settings. A sign in the password that ends one of them would make the rest of it, or
 * what stands before it, the host or its port, and told as it. Only a setting, behind the database, may have an @.
 */
const WHOLE = /^[a-z]+:\/\/(?:[^@/?#]*@)?[^@/?#]*(?:\?[^@#]*|\/[^@?#]*(?:\?(?:[^@#]*|[a-z_]+=[^#]*))?)?$/

const IN_THE_PASSWORD = 'expected no @, /, ? or # in the password: %40, %2F, %3F and %23 stand for them there'

/** The address of a PostgreSQL, with a password in it, as a setting. */
export const databaseUrlSchema = z
  .string('expected postgres://…')
  .regex(/^postgres(ql)?:\/\//, 'expected postgres://…')
  .refine((url) => WHOLE.test(url), IN_THE_PASSWORD)
  .transform((url) => new Secret(url))
