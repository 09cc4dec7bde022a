import files from './files.js'

export const { library, worker } = files
