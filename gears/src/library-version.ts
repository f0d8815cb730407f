/** Increase it with each change of the libraries' behaviour. A host never replaces a newer library with an older one. */
export const LIBRARY_VERSION = 8;
