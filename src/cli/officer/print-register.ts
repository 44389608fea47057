import { formatDate } from '../../kernel/clock.ts'
import { basisName, memberName } from '../../protocol/words/plain-words.ts'
import type { RegisterView } from '../../sdk/officer.ts'
import type { Session } from '../session.ts'
import { paint, say, table } from '../terminal.ts'

/** The register in short: what there is, for whom, who received what, and what is still to be done. */
export function printRegister({ terminal }: Session, register: RegisterView): void {
  const { site, processor, place, controllers, gaps } = register
  say(
    terminal,
    `${site} in ${place.territory}, kept by ${processor.name ?? processor.member}; evidence ${place.evidence.replaceAll('_', ' ')}`,
  )
  table(terminal, {
    head: ['data set', 'controller', 'purposes', 'basis', 'people', 'erased', 'recipients'],
    widths: [16, 22, 40, 24, 8, 12, 24],
    rows: controllers.map((activity) => [
      activity.dataSet,
      activity.controller.name ?? activity.controller.member,
      activity.purposes.map(({ label }) => label).join(', '),
      [activity.legalBasis, activity.specialCategoryBasis]
        .flatMap((basis) => (basis === undefined ? [] : [basisName(basis)]))
        .join(', '),
      activity.subjects.people.toLocaleString('en'),
      formatDate(activity.erasure.until),
      activity.recipients
        .map(({ acquirer, name, releases }) => `${memberName(acquirer, name)}: ${releases}`)
        .join(', '),
    ]),
  })
  const transfers = controllers.flatMap(({ dataSet, transfers: found }) =>
    found.map(
      ({ country, ground, releases }) =>
        `${dataSet}: ${releases} to ${country}, ${ground ?? 'no ground today'}`,
    ),
  )
  for (const line of transfers) say(terminal, `Transfer: ${line}`)
  for (const gap of gaps) say(terminal, paint(terminal, 'warn', `To do: ${gap}`))
}
