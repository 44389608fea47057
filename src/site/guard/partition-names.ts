const PARTS = ' parts'

/** Under which name of a data set it is kept whom questions told apart. No data set has a space in its name. */
export function nameOfParts(dataSet: string): string {
  return `${dataSet}${PARTS}`
}

/** The data set behind such a name; undefined where it is none. */
export function dataSetOfParts(name: string): string | undefined {
  return name.endsWith(PARTS) ? name.slice(0, -PARTS.length) : undefined
}
