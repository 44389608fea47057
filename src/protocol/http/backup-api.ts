import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { instantSchema, nameSchema } from '../wire.ts'

export const backupIdSchema = z
  .string('expected the id of a backup')
  .regex(/^backup_[0-9A-HJKMNP-TV-Z]{26}$/, 'expected "backup_" and 26 characters of Crockford base 32')

/** What a backup is at: being written, whole, not in its directory any more, or past its window with its key about to be destroyed. */
const BACKUP_STATES = ['writing', 'whole', 'away', 'expired'] as const

export const backupViewSchema = z
  .strictObject({
    backup: backupIdSchema,
    state: z.enum(BACKUP_STATES),
    /** The directory it lies in. */
    directory: z.string(),
    /** The moment that it holds; absent until then. */
    takenAt: instantSchema.optional(),
    /** The end of its window: its key is destroyed, and no copy of it can be read any more. */
    expiresAt: instantSchema,
    sizeBytes: z.int().min(0).optional(),
    /** How many receipts it holds. */
    logSize: z.int().min(0).optional(),
  })
  .openapi('Backup')
export type BackupView = z.input<typeof backupViewSchema>

const holdsSchema = z.strictObject({ acquirers: z.array(z.string()) }).openapi('Holds')

const backupsSchema = z.strictObject({ items: z.array(backupViewSchema) }).openapi('Backups')

/** Backups of a site. They are restored and rehearsed by the command line alone: a site that serves restores nothing. */
export const BACKUP_API = {
  listHolds: endpoint({
    method: 'get',
    path: '/v1/holds',
    tag: 'backups',
    summary:
      'Acquirers that are told nothing exact since a restore, because what they were told before it is lost',
    description: 'The operator.',
    response: holdsSchema,
  }),
  liftHold: endpoint({
    method: 'post',
    path: '/v1/holds/{acquirer}/lifting',
    tag: 'backups',
    summary: 'Answer an acquirer again, who answers for what it was told before the restore',
    description:
      'The operator, with the reason, for example that the acquirer has deleted those releases. It is in the log.',
    params: z.object({ acquirer: nameSchema }),
    body: z
      .strictObject({
        reason: z
          .string('expected a reason')
          .trim()
          .min(3, 'expected a reason of 3 to 500 characters')
          .max(500, 'expected a reason of 3 to 500 characters'),
      })
      .openapi('LiftHold'),
    response: holdsSchema,
  }),
  listBackups: endpoint({
    method: 'get',
    path: '/v1/backups',
    tag: 'backups',
    summary: 'Backups that can still be read, oldest first, each with the end of its window',
    description: 'The operator.',
    response: backupsSchema,
  }),
  makeBackup: endpoint({
    method: 'post',
    path: '/v1/backups',
    tag: 'backups',
    summary: 'Make a backup: encrypted, of one moment, and verified when answered; asks and imports go on',
    description: 'The operator. Only one is made at a time.',
    response: backupViewSchema,
    status: 201,
  }),
  destroyBackup: endpoint({
    method: 'delete',
    path: '/v1/backups/{backup}',
    tag: 'backups',
    summary: 'Destroy a backup and its key before its window ends',
    description: 'The operator. No copy of it can be read from then on, wherever it is.',
    params: z.object({ backup: backupIdSchema }),
    response: backupsSchema,
  }),
} as const
