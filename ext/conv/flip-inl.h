/* The loop of flip_kernel in pad.h; compiled once for each type. */

/* Part `part` transposes the (C, F) weights of tap number `part`. */
static void NAME(flip_part)(void *context, int part, int parts) {
    const struct flip *job = context;
    const ptrdiff_t C = job->channels, F = job->filters;
    const ptrdiff_t place = flipped_place(job, part / job->kernel_width, part % job->kernel_width);
    const REAL *from = (const REAL *)job->kernel + part * C * F;
    REAL *to = (REAL *)job->flipped + place * C * F;
    ptrdiff_t c, f;
    (void)parts;
    for (f = 0; f < F; f++)
        for (c = 0; c < C; c++) to[f * C + c] = from[c * F + f];
}
