// Writes every out.yaml anew. The review is the difference.
import { writeFileSync } from 'node:fs'
import { goldenFolders, goldenOutput, outputFile } from '../support/golden.ts'

for (const name of goldenFolders()) writeFileSync(outputFile(name), goldenOutput(name))
