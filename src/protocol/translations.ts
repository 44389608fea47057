import { z } from 'zod'
import { columnNameSchema } from './wire.ts'

/** A language by its tag (BCP 47), in the one way of writing it: `de`, `pt-BR`. */
export const languageTagSchema = z
  .string('expected a language tag')
  .max(35)
  .refine(isCanonicalTag, 'expected a language tag of BCP 47 such as de or pt-BR')

function isCanonicalTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag)[0] === tag
  } catch {
    return false
  }
}

/** What the issuer says of a data set, in another language than the manifest's own. */
const translationSchema = z.strictObject({
  title: z.string('expected a title').min(1, 'expected a title').max(200).optional(),
  description: z.string().max(2_000).optional(),
  /** What columns are, by their names. */
  columns: z.record(columnNameSchema, z.string().min(1).max(500)).default({}),
})

export const translationsSchema = z
  .record(languageTagSchema, translationSchema)
  .refine((given) => Object.keys(given).length <= 30, 'expected at most 30 languages')

/** A manifest as far as its words go. */
export interface TranslatedTexts {
  readonly title: string
  readonly description?: string | undefined
  readonly language?: string | undefined
  readonly translations?: z.infer<typeof translationsSchema> | undefined
  readonly columns: readonly { readonly name: string; readonly description?: string | undefined }[]
}

/** The language of a manifest that does not say it. */
const LANGUAGE_UNSAID = 'en'

/** What does not hold together about translations. */
export function translationProblems({
  language = LANGUAGE_UNSAID,
  translations = {},
  columns,
}: TranslatedTexts): { message: string; path: (string | number)[] }[] {
  const names = new Set(columns.map(({ name }) => name))
  return Object.entries(translations).flatMap(([tag, translation]) => [
    ...(tag === language
      ? [
          {
            message: `expected another language than "${language}", which the manifest itself is in`,
            path: ['translations', tag],
          },
        ]
      : []),
    ...Object.keys(translation.columns)
      .filter((name) => !names.has(name))
      .map((name) => ({
        message: 'expected the name of a column',
        path: ['translations', tag, 'columns', name],
      })),
  ])
}

/** Words of the issuer as they are shown to somebody who reads a language. */
export interface ReadableTexts {
  readonly title: string
  readonly columns: readonly { readonly name: string; readonly description?: string | undefined }[]
  /** Those of them that the issuer has not said in that language, by where they stand: the title, or the name of a column. */
  readonly isUntranslated: (what: 'title' | { readonly column: string }) => boolean
}

/**
 * What an issuer says of a data set, to somebody who reads `language`: in that language, else in the nearest way of writing it that there is
 * (RFC 4647 §3.4 the other way round: `de-AT` for who reads `de`), else as the manifest says it.
 */
export function textsIn(manifest: TranslatedTexts, language: string): ReadableTexts {
  const { title, columns, translations = {} } = manifest
  const isOwn = isWithin(manifest.language ?? LANGUAGE_UNSAID, language)
  const tag = isOwn
    ? undefined
    : Object.keys(translations)
        .toSorted((one, other) => one.length - other.length)
        .find((each) => isWithin(each, language))
  const found = tag === undefined ? undefined : translations[tag]
  const said = new Map(Object.entries(found?.columns ?? {}))
  return {
    title: found?.title ?? title,
    columns: columns.map(({ name, description }) => {
      const text = said.get(name) ?? description
      return { name, ...(text === undefined ? {} : { description: text }) }
    }),
    isUntranslated: (what) =>
      !isOwn && (what === 'title' ? found?.title === undefined : !said.has(what.column)),
  }
}

function isWithin(tag: string, language: string): boolean {
  return tag === language || tag.startsWith(`${language}-`)
}
