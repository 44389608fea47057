import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { splitCsvLine } from '../../cli/read-records.ts'
import { readStudyManifest } from './studies.ts'
import type { StudyDataSet } from './studies.ts'

/** The keys of the people in a file of a study, each once, in the order of the file; read as a stream. */
export async function* readStudyPeople(directory: string, source: StudyDataSet): AsyncGenerator<string> {
  const { manifest } = await readStudyManifest(source.dataSet)
  const file = createReadStream(join(directory, source.peopleFile ?? source.file))
  const text = file.pipe(createGunzip())
  // An error of the file does not travel through the pipe by itself.
  file.once('error', (error) => text.destroy(error))
  const seen = new Set<string>()
  let columns: readonly number[] | undefined
  for await (const line of createInterface({ input: text, crlfDelay: Infinity })) {
    if (!columns) {
      columns = columnsOf(line, [manifest.person.key, ...(source.answered ?? [])])
      continue
    }
    const [person = '', ...answers] = pick(line, columns)
    if (person === '' || seen.has(person) || answers.includes('')) continue
    seen.add(person)
    yield person
  }
}

/** Where some columns stand in a line. */
function columnsOf(header: string, names: readonly string[]): readonly number[] {
  const all = splitCsvLine(header)
  const wanted = names.map((name) => all.indexOf(name))
  if (wanted.includes(-1)) throw new Error(`Expected the columns ${names.join(', ')} in the file of a study`)
  return wanted
}

/** Some fields of a line. The files hold no field with a line break, and most lines no quote. */
function pick(line: string, wanted: readonly number[]): string[] {
  const fields = line.includes('"') ? splitCsvLine(line) : line.split(',')
  return wanted.map((index) => fields[index] ?? '')
}
