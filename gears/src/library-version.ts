/** Rises with each change of the libraries: a host never puts an older one in place of a newer one. */
export const LIBRARY_VERSION = 7;
