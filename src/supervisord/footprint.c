#include "supervisord/footprint.h"

#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * An answer about 5,000 processes takes ten megabytes on its way. From the system and back with each call, half of its
 * cost would be page faults; so blocks up to this size come from the heap, of which as much may stay unused.
 */
#define HEAP_BLOCK_MAXIMUM (16 << 20)

void footprint_prepare(void)
{
    mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_MAXIMUM);
    mallopt(M_TRIM_THRESHOLD, HEAP_BLOCK_MAXIMUM);
}

/* Pages that were never writable are the file's: dropping them loses nothing. */
static int drop_text(struct dl_phdr_info *object, size_t size, void *context)
{
    const uintptr_t page = *(const uintptr_t *)context;

    (void)size;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
            continue;
        const uintptr_t begin = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        const uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_filesz) & ~(page - 1);
        if (end > begin)
            madvise((void *)begin, end - begin, MADV_DONTNEED); /* advice: nothing to do when it is not taken */
    }
    return 0;
}

void footprint_trim(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    malloc_trim(0);
    dl_iterate_phdr(drop_text, &page);
}
