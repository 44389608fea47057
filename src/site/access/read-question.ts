import { z } from 'zod'
import type { FieldProblem } from '../../kernel/faults.ts'
import { parseWith } from '../../kernel/parse.ts'
import { ok } from '../../kernel/result.ts'
import { askSchema } from '../../protocol/ask.ts'
import type { Ask } from '../../protocol/ask.ts'
import type { AccessRequest } from '../../protocol/http/access-api.ts'
import { modeSchema } from '../../protocol/mode.ts'
import type { Mode } from '../../protocol/mode.ts'
import { declined } from '../../protocol/reason.ts'
import type { DeclineCode, Outcome } from '../../protocol/reason.ts'
import { columnNameSchema, dataSetIdSchema, memberIdSchema } from '../../protocol/wire.ts'
import type { DataSetId, MemberId } from '../../protocol/wire.ts'

/** What may be asked about: compute here, compute here and have the result leave, keep here. */
export const ACCESS_ACTIONS = ['process', 'release', 'store'] as const
export type AccessAction = (typeof ACCESS_ACTIONS)[number]

/** What is asked about: all that people allowed of a data set, or what one of them did. */
export interface AccessTarget {
  readonly dataSet: DataSetId
  /** The key by which the issuer of the data set knows the person; absent: the data set as a whole. */
  readonly person?: string | undefined
}

/** A use by an acquirer. */
export interface AskedAccess extends AccessTarget {
  readonly kind: 'use'
  readonly acquirer: MemberId
  readonly action: Exclude<AccessAction, 'store'>
  readonly purpose: string
  /** Absent: the basis on which the data set is offered. */
  readonly legalBasis?: string | undefined
  readonly mode: Mode
  /** Absent: every column that a question could use. */
  readonly columns?: readonly string[] | undefined
  readonly releaseTo?: Ask['releaseTo'] | undefined
}

/** What the custodian does with the data itself: it keeps it, and nothing else. */
export interface AskedKeeping {
  readonly kind: 'keeping'
  readonly custodian: string
  readonly action: AccessAction
  readonly dataSet: DataSetId
}

export type AccessQuestion = AskedAccess | AskedKeeping

const resourceSchema = z.object({
  dataSet: dataSetIdSchema,
  person: z.string().min(1, 'expected the key of a person').max(200).optional(),
  columns: z.array(columnNameSchema).min(1, 'expected at least one column').max(500).optional(),
})

const useSchema = z.object({
  purpose: askSchema.shape.purpose,
  legalBasis: askSchema.shape.legalBasis.optional(),
  releaseTo: askSchema.shape.releaseTo.optional(),
})

/**
 * Reads what an enforcement point asks in the words of AuthZEN. Whatever is not understood here is declined, never an error:
 * nothing is allowed that was not understood whole. Pure. Declines with `declined.member_unknown`, `declined.no_route`,
 * `declined.purpose` and `declined.mode`, and says which field is meant.
 */
export function readQuestion({ subject, action, resource, context }: AccessRequest): Outcome<AccessQuestion> {
  const isCustodian = subject.type === 'custodian'
  const acquirer = parseWith(memberIdSchema, subject.id)
  if (!isCustodian && (subject.type !== 'acquirer' || !acquirer.ok))
    return unread('declined.member_unknown', {
      field: 'subject',
      expected: 'expected an acquirer by its name, or the custodian',
    })
  const target = targetOf(resource)
  if (!target.ok) return target
  const name = ACCESS_ACTIONS.find((known) => known === action.name)
  if (name === undefined)
    return unread('declined.mode', {
      field: 'action.name',
      expected: `expected one of ${ACCESS_ACTIONS.join(', ')}`,
    })
  if (isCustodian)
    return target.value.person === undefined
      ? ok({ kind: 'keeping', custodian: subject.id, action: name, dataSet: target.value.dataSet })
      : unread('declined.custodian', {
          field: 'resource.type',
          expected: 'expected a data set, which is all that a custodian keeps',
        })
  // What an acquirer is given left the perimeter: nothing of a data set is kept anywhere else.
  if (name === 'store')
    return declined('declined.perimeter_store', { detail: 'Data is kept at the site and nowhere else' })
  const use = parseWith(useSchema, context ?? {})
  if (!use.ok) return unread('declined.purpose', within('context', use.error))
  const mode = parseWith(modeSchema.default('aggregate'), action.properties?.mode)
  if (!mode.ok) return unread('declined.mode', within('action.properties.mode', mode.error))
  if (!acquirer.ok) return declined('declined.member_unknown')
  const { legalBasis, releaseTo, purpose } = use.value
  return ok({
    kind: 'use',
    acquirer: acquirer.value,
    action: name,
    ...target.value,
    purpose,
    legalBasis,
    mode: mode.value,
    releaseTo,
  })
}

function targetOf({
  type,
  id,
  properties = {},
}: AccessRequest['resource']): Outcome<AccessTarget & Pick<AskedAccess, 'columns'>> {
  const { dataSet, columns } = properties
  const named =
    type === 'data_set'
      ? { dataSet: id, columns }
      : type === 'person'
        ? { dataSet, person: id, columns }
        : undefined
  if (!named)
    return unread('declined.no_route', { field: 'resource.type', expected: 'expected data_set or person' })
  const parsed = parseWith(resourceSchema, named)
  return parsed.ok ? ok(parsed.value) : unread('declined.no_route', within('resource', parsed.error))
}

function within(part: string, [first]: readonly FieldProblem[]): FieldProblem {
  const field = first?.field ?? ''
  return { field: field === '' ? part : `${part}: ${field}`, expected: first?.expected ?? '' }
}

function unread(code: DeclineCode, { field, expected }: FieldProblem): ReturnType<typeof declined> {
  return declined(code, { detail: `${field}: ${expected}` })
}
