import { categoryName, dayText } from '../../protocol/words/plain-words.ts'
import type { IncidentView } from '../../protocol/http/officer-api.ts'
import type { RegisterContact } from '../../protocol/rights/register.ts'
import type { NoticeLanguage } from './notice-words.ts'

/** A letter to the people whose data a breach is about. */
export interface IncidentLetter {
  readonly subject: string
  readonly text: readonly string[]
}

interface LetterWords {
  readonly subject: (controller: string) => string
  readonly opening: (day: string) => string
  readonly data: (categories: string) => string
  readonly consequences: string
  readonly measures: string
  readonly contact: (who: string) => string
}

const WORDS: Readonly<Record<NoticeLanguage, LetterWords>> = {
  en: {
    subject: (controller) => `Your data at ${controller}: something went wrong`,
    opening: (day) =>
      `On ${day} we learned of a breach that concerns data about you. We tell you because it may put you at risk (GDPR Art. 34).`,
    data: (categories) => `The data concerned: ${categories}.`,
    consequences: 'What may follow from it:',
    measures: 'What we have done, and what you can do:',
    contact: (who) => `Whom to ask: ${who}.`,
  },
  de: {
    subject: (controller) => `Ihre Daten bei ${controller}: etwas ist schiefgegangen`,
    opening: (day) =>
      `Am ${day} haben wir von einer Verletzung erfahren, die Daten über Sie betrifft. Wir sagen es Ihnen, weil sie für Sie ein Risiko sein kann (DSGVO Art. 34).`,
    data: (categories) => `Betroffen sind: ${categories}.`,
    consequences: 'Was daraus folgen kann:',
    measures: 'Was wir getan haben, und was Sie tun können:',
    contact: (who) => `An wen Sie sich wenden können: ${who}.`,
  },
  fr: {
    subject: (controller) => `Vos données chez ${controller} : un incident`,
    opening: (day) =>
      `Le ${day}, nous avons appris une violation qui touche des données vous concernant. Nous vous le disons parce qu’elle peut présenter un risque pour vous (RGPD art. 34).`,
    data: (categories) => `Données concernées : ${categories}.`,
    consequences: 'Ce qui peut en résulter :',
    measures: 'Ce que nous avons fait, et ce que vous pouvez faire :',
    contact: (who) => `À qui vous adresser : ${who}.`,
  },
}

/** What was written about an incident in one language: last as a step of its own, else as it was opened; nothing where neither is. */
export function writtenIn(
  { language: opened, consequences, measures, steps }: IncidentView,
  language: NoticeLanguage,
): IncidentText | undefined {
  const own = steps.flatMap(({ step }) =>
    step.step === 'letter-text' && step.language === language ? [step] : [],
  )
  return own.at(-1) ?? (opened === language ? { consequences, measures } : undefined)
}

/** The parts of a letter that somebody wrote. */
export interface IncidentText {
  readonly consequences: string
  readonly measures: string
}

/** The letter of GDPR Art. 34(2): in clear and plain words, with points (b), (c) and (d) of Art. 33(3). */
export function incidentLetter(
  incident: IncidentView,
  {
    controller,
    language,
    written,
  }: { controller: RegisterContact; language: NoticeLanguage; written: IncidentText },
): IncidentLetter {
  const words = WORDS[language]
  const categories = incident.affected.categories.map((category) => categoryName(category, language))
  const { name, member, email, dataProtectionOfficer } = controller
  return {
    subject: words.subject(name ?? member),
    text: [
      words.opening(dayText(incident.awareAt, language)),
      ...(categories.length === 0 ? [] : [words.data(categories.join(', '))]),
      words.consequences,
      written.consequences,
      words.measures,
      written.measures,
      words.contact(
        dataProtectionOfficer ?? [name ?? member, email].filter((part) => part !== undefined).join(', '),
      ),
    ],
  }
}
