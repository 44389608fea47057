import { z } from 'zod'
import { modeSchema } from './mode.ts'
import { perimeterSchema } from './law/perimeter.ts'
import { dataCategorySchema, retentionProblems, retentionSchema, rowEndProblems } from './law/retention.ts'
import type { Retention } from './law/retention.ts'
import { splitsSchema } from './money/split.ts'
import { tariffSchema } from './money/tariff.ts'
import { languageTagSchema, translationProblems, translationsSchema } from './translations.ts'
import { columnNameSchema, dataSetIdSchema, memberIdSchema, purposeSchema } from './wire.ts'

/** Types of single values. `number` is double precision, `integer` 64 bits, `timestamp` is in UTC. */
export const SCALAR_TYPES = ['boolean', 'integer', 'number', 'text', 'date', 'timestamp'] as const
export type ScalarType = (typeof SCALAR_TYPES)[number]

/** Types of lists, whose values are never null and whose whole numbers are within ±2^53. */
export const LIST_TYPES = ['boolean[]', 'integer[]', 'number[]', 'text[]'] as const
export type ListType = (typeof LIST_TYPES)[number]

/** Types of a column. `json` is any JSON document; it is one column for grants and lineage, whatever is taken out of it. */
export const COLUMN_TYPES = [...SCALAR_TYPES, 'json', ...LIST_TYPES] as const
export type ColumnType = (typeof COLUMN_TYPES)[number]

/** The type of a list's values; `undefined` of what is no list. */
export function elementType(type: string): 'boolean' | 'integer' | 'number' | 'text' | undefined {
  switch (type) {
    case 'boolean[]':
      return 'boolean'
    case 'integer[]':
      return 'integer'
    case 'number[]':
      return 'number'
    case 'text[]':
      return 'text'
    default:
      return undefined
  }
}

/** Whether values of a type are single ones, which can be compared, ordered and grouped by. */
export function isScalarType(type: string): type is ScalarType {
  return SCALAR_TYPES.some((scalar) => scalar === type)
}

/**
 * How a column may be touched. `direct_identifier` and `free_text` are stored under the key of their person and can
 * never stand in a question; `special_category` is data of GDPR Art. 9(1).
 */
const SENSITIVITIES = ['ordinary', 'special_category', 'direct_identifier', 'free_text'] as const

/** One column of a data set. Bounds are what sums and averages clamp to; they are declared, never taken from the data. */
export const columnSchema = z
  .strictObject({
    name: columnNameSchema,
    /** The name in the file, where it differs. */
    source: z.string().min(1).optional(),
    /**
     * Where in the document that the file has under `source` the value stands: names of members, or places in a list from 0. The document
     * itself is not kept, so each such column has a category, grants and bounds of its own (docs/decisions/0024).
     */
    path: z
      .array(
        z
          .string()
          .max(200)
          .regex(/^[^\0]*$/, 'expected no NUL'),
      )
      .min(1, 'expected at least one step')
      .max(8, 'expected at most 8 steps')
      .optional(),
    type: z.enum(COLUMN_TYPES, `expected one of ${COLUMN_TYPES.join(', ')}`),
    description: z.string().max(500).optional(),
    /** UCUM or plain words: `m`, `kg`, `min`. */
    unit: z.string().max(40).optional(),
    bounds: z.tuple([z.number(), z.number()], 'expected [least, greatest]').optional(),
    /** Least width of groups over this number, in its unit; for dates and timestamps: `day`, `week`, `month`, `quarter`, `year`. */
    minimumBin: z
      .union([z.number().positive(), z.enum(['hour', 'day', 'week', 'month', 'quarter', 'year'])])
      .optional(),
    /** Term of the DPV personal data categories, for example `dpv-pd:Height`. */
    category: dataCategorySchema.optional(),
    sensitivity: z.enum(SENSITIVITIES).default('ordinary'),
    isRequired: z.boolean().default(false),
    /** Of an identifier or free text in rows about several people: the key column of the person that it is about. Absent: `person.key`. */
    about: columnNameSchema.optional(),
    /** Values that a text column may take, where they are few and public; a filter on any other value is an error of the asker. */
    values: z.array(z.string()).max(2_000).optional(),
  })
  .refine(({ bounds }) => !bounds || bounds[0] < bounds[1], {
    message: 'expected [least, greatest] with least below greatest',
    path: ['bounds'],
  })
  .refine(({ bounds, type }) => !bounds || type === 'integer' || type === 'number', {
    message: 'expected no bounds on a column that is not a number',
    path: ['bounds'],
  })
  .refine(({ minimumBin, type }) => minimumBin === undefined || isScalarType(type), {
    message:
      'expected no least width on a column of lists or JSON; give what is grouped by a column of its own',
    path: ['minimumBin'],
  })
  .refine(({ values, type }) => !values || isScalarType(type), {
    message: 'expected no values on a column of lists or JSON',
    path: ['values'],
  })
export type Column = z.infer<typeof columnSchema>

/** Who else a row is about. Such a row is used only if everybody in it allows it (docs/decisions/0023). */
const othersSchema = z.strictObject({
  /** Columns that name the other people of a row, empty where there is none; `direct_identifier` each. */
  keys: z.array(columnNameSchema).min(1).max(3, 'expected at most 3 columns'),
  /**
   * In how many different sets of people one person's rows may be: alone is one, with a partner another. Minimum groups
   * are so many times larger, and the share of a sum that one may have so many times smaller.
   */
  setsPerPersonMax: z.int().min(1).max(4, 'expected at most 4').default(2),
})

/** How people are told apart in the file, and what is known of them for the rules of age. */
const personSchema = z.strictObject({
  /** The column that names the person. It is replaced by a number on the way in and never shown. */
  key: columnNameSchema,
  birthDate: columnNameSchema.optional(),
  /** Column with the country of residence (ISO 3166-1 alpha-2), for the age of consent. */
  residence: columnNameSchema.optional(),
  /** The date for which age is judged: people whose data was collected while under age stay under the guardian's grant. Absent: today. */
  ageOn: z.iso.date('expected a date such as 2016-08-05').optional(),
  /** The age that everybody has at least, as the issuer vouches; it stands where no birth date is known. Absent: such people count as under age. */
  ageAtLeast: z.int('expected an age in years').min(0).max(120).optional(),
  /** What these people are to the issuer: a category of data subjects of the DPV, for example `dpv:Employee`. */
  subjects: z
    .string()
    .regex(/^dpv:[A-Za-z]+$/, 'expected a category of data subjects such as dpv:Employee')
    .optional(),
  /** Most rows of one person that a run may use. */
  rowsMax: z.int().min(1).max(10_000_000).default(1),
  /** Of rows that are about several people, as those of a device that a household shares. */
  others: othersSchema.optional(),
})

/** Terms of the mode `private`. */
const privateTermsSchema = z.strictObject({
  /** Groups with fewer people are never shown, noise or not, unless the group's name is public. Absent: 20, and 50 for special categories. */
  minimumGroup: z.int().min(5, 'expected 5 or more').optional(),
  /** What one acquirer may learn of this data set in a calendar year. */
  epsilonPerYear: z.number().min(0.01, 'expected 0.01 to 8').max(8, 'expected 0.01 to 8').default(1),
  /** Most rows of one person in one group, and most groups of one person, that an ask may count; noise grows with both. */
  rowsPerPersonMax: z.int().min(1).max(1_000).default(100),
  groupsPerPersonMax: z.int().min(1).max(1_000).default(100),
})

/** A data set's manifest: what stands at the site, and on what terms it may be used. */
export const manifestSchema = z
  .strictObject({
    dataSet: dataSetIdSchema,
    title: z.string('expected a title').min(1, 'expected a title').max(200),
    description: z.string().max(2_000).optional(),
    attribution: z.string().max(1_000).optional(),
    /** In which language title, description and columns are described (BCP 47). Absent: English. */
    language: languageTagSchema.optional(),
    /** The same in other languages, by their tags; notices to people are made of them. What a grant is given to is the manifest's own text. */
    translations: translationsSchema.optional(),
    issuer: memberIdSchema,
    issuerProcessor: memberIdSchema.optional(),
    person: personSchema,
    columns: z.array(columnSchema).min(1, 'expected at least one column').max(200),
    legalBasis: z.string().regex(/^eu-gdpr:A6-1-[a-f](-[a-z-]+)?$/, 'expected a term such as eu-gdpr:A6-1-a'),
    specialCategoryBasis: z
      .string()
      .regex(/^eu-gdpr:A9-2-[a-j]$/, 'expected a term such as eu-gdpr:A9-2-a')
      .optional(),
    purposes: z.array(purposeSchema).min(1, 'expected at least one purpose'),
    modes: z.array(modeSchema).min(1),
    perimeter: perimeterSchema,
    retention: retentionSchema,
    /** Least people behind an output row; `undefined` means the default of the mode and sensitivity. */
    minimumGroup: z.int().min(10, 'expected 10 or more').optional(),
    private: privateTermsSchema.optional(),
    dimensionsMax: z.int().min(1).max(6).default(2),
    /** Share of a sum that one person may have, in basis points. */
    dominanceBp: z.int().min(100).max(10_000).default(1_000),
    tariff: tariffSchema,
    splits: splitsSchema,
  })
  .superRefine((manifest, context) => {
    for (const problem of [...manifestProblems(manifest), ...translationProblems(manifest)])
      context.addIssue({ code: 'custom', ...problem })
  })
export type Manifest = z.infer<typeof manifestSchema>

interface ManifestParts {
  readonly columns: readonly Column[]
  readonly person: z.infer<typeof personSchema>
  readonly retention: Retention
  readonly specialCategoryBasis?: string | undefined
  readonly issuerProcessor?: string | undefined
  readonly splits: { readonly issuerProcessor: number }
}

function manifestProblems(manifest: ManifestParts): { message: string; path: (string | number)[] }[] {
  const problems = [...retentionProblems(manifest, manifest), ...rowEndProblems(manifest)]
  const names = new Set<string>()
  for (const [index, { name }] of manifest.columns.entries()) {
    if (names.has(name))
      problems.push({
        message: `expected each name once, "${name}" comes again`,
        path: ['columns', index, 'name'],
      })
    names.add(name)
  }
  for (const field of ['key', 'birthDate', 'residence'] as const) {
    const name = manifest.person[field]
    if (name === undefined) continue
    if (!names.has(name)) problems.push({ message: 'expected the name of a column', path: ['person', field] })
    else if (manifest.columns.some((column) => column.name === name && !isScalarType(column.type)))
      problems.push({ message: 'expected a column of single values', path: ['person', field] })
  }
  problems.push(...pathProblems(manifest), ...othersProblems(manifest))
  const hasSpecial = manifest.columns.some(({ sensitivity }) => sensitivity === 'special_category')
  if (hasSpecial && !manifest.specialCategoryBasis) {
    problems.push({
      message: 'expected a basis of GDPR Art. 9(2), because a column is a special category',
      path: ['specialCategoryBasis'],
    })
  }
  if (manifest.splits.issuerProcessor > 0 && !manifest.issuerProcessor) {
    problems.push({
      message: 'expected a member, because the splits give it a share',
      path: ['issuerProcessor'],
    })
  }
  return problems
}

/** What does not hold together about columns that are taken out of documents of the file. */
function pathProblems(manifest: ManifestParts): { message: string; path: (string | number)[] }[] {
  const keys = keyColumnsOf(manifest)
  const taken = new Set(manifest.columns.flatMap(({ path, source }) => (path && source) ?? []))
  return manifest.columns.flatMap(({ name, path, source }, index) => {
    const at = ['columns', index, path ? 'path' : 'source']
    if (path && source === undefined)
      return [{ message: 'expected a source, which has the document', path: at }]
    if (path && keys.includes(name))
      return [{ message: 'expected a field of its own for the key of a person', path: at }]
    // Whoever is granted the whole would be granted the part, and a correction of one would leave the other.
    if (!path && taken.has(source ?? name))
      return [{ message: 'expected no column of a whole document of which others are parts', path: at }]
    return []
  })
}

/** What does not hold together about rows of several people. */
function othersProblems({
  columns,
  person,
}: ManifestParts): { message: string; path: (string | number)[] }[] {
  const problems: { message: string; path: (string | number)[] }[] = []
  const { keys = [] } = person.others ?? {}
  const path = (index: number) => ['person', 'others', 'keys', index]
  const key = columns.find(({ name }) => name === person.key)
  for (const [index, name] of keys.entries()) {
    const column = columns.find((one) => one.name === name)
    if (column === undefined) problems.push({ message: 'expected the name of a column', path: path(index) })
    else if (name === person.key || keys.indexOf(name) !== index)
      problems.push({ message: 'expected each column of keys once', path: path(index) })
    else if (column.type !== key?.type || column.sensitivity !== 'direct_identifier')
      problems.push({
        message: 'expected a column of the type of person.key with the sensitivity direct_identifier',
        path: path(index),
      })
  }
  for (const [index, { about, sensitivity }] of columns.entries()) {
    if (about === undefined) continue
    const isSealed = sensitivity === 'direct_identifier' || sensitivity === 'free_text'
    if (!isSealed || (about !== person.key && !keys.includes(about)))
      problems.push({
        message: 'expected a key column of the person, on a column that is a direct identifier or free text',
        path: ['columns', index, 'about'],
      })
  }
  return problems
}

/** Columns whose value names a person: the key, then those of the other people of a row. */
export function keyColumnsOf({ person }: Pick<Manifest, 'person'>): readonly string[] {
  return [person.key, ...(person.others?.keys ?? [])]
}

/** Which of the people of a row a column under somebody's key is about, as a place among `keyColumnsOf`. */
export function placeOf(manifest: Pick<Manifest, 'person'>, { about }: Pick<Column, 'about'>): number {
  return about === undefined ? 0 : Math.max(0, keyColumnsOf(manifest).indexOf(about))
}

/** In how many sets of people one person can stand behind rows of a data set: 1 where each row has one person. */
export function setsPerPersonOf({ person }: Pick<Manifest, 'person'>): number {
  return person.others?.setsPerPersonMax ?? 1
}

/**
 * The same over all data sets of a question: at most so many numbers of its rows are about one person, so that k people
 * stand behind every so many times k of them. A join of rows that are each about one person stays at 1.
 */
export function setsPerPersonIn(manifests: readonly Pick<Manifest, 'person'>[]): number {
  const hasShared = manifests.some(({ person }) => person.others !== undefined)
  return hasShared ? manifests.reduce((sum, manifest) => sum + setsPerPersonOf(manifest), 0) : 1
}

/** Least numbers of people, or of sets of them, behind an output row of an exact answer: 20 people, or 50 where special categories are used (security model, defaults), and so many times more as a person can be in sets. */
export function minimumGroupOf(manifest: Manifest, usesSpecialCategory: boolean): number {
  return minimumPeopleOf(manifest, usesSpecialCategory) * setsPerPersonOf(manifest)
}

/** Least people whom an exact answer is about: the minimum group where each row is about one person. */
export function minimumPeopleOf(manifest: Manifest, usesSpecialCategory: boolean): number {
  const floor = usesSpecialCategory ? 50 : 20
  return manifest.minimumGroup === undefined
    ? floor
    : usesSpecialCategory
      ? Math.max(manifest.minimumGroup, 50)
      : manifest.minimumGroup
}

/** The terms of the mode `private`, with what is not said filled in. */
export function privateTermsOf({ private: terms }: Pick<Manifest, 'private'>): PrivateTerms {
  return terms ?? privateTermsSchema.parse({})
}
export type PrivateTerms = z.infer<typeof privateTermsSchema>

/** Least people behind a group of a noisy answer whose name comes from the data: 20, or 50 where special categories are used, unless the data set says otherwise (5 or more). */
export function privateMinimumGroupOf(
  manifest: Pick<Manifest, 'private' | 'person'>,
  usesSpecialCategory: boolean,
): number {
  const people = privateTermsOf(manifest).minimumGroup ?? (usesSpecialCategory ? 50 : 20)
  return people * setsPerPersonOf(manifest)
}
