/* Keeping the daemon small once it is up. */
#ifndef SUPERVISORD_FOOTPRINT_H
#define SUPERVISORD_FOOTPRINT_H

/* Settles how the C library's allocator treats large blocks. Before anything large is allocated. */
void footprint_prepare(void);

/*
 * Gives back what only the start needed: free heap, and the resident pages of program and library text, most of which
 * the dynamic linker and the libraries' initialisation touched for the only time. A page that is needed again comes
 * back from the page cache at the price of a minor fault.
 */
void footprint_trim(void);

#endif
