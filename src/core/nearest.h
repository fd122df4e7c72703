/* Guesses which name somebody meant. */
#ifndef STEADY_CORE_NEAREST_H
#define STEADY_CORE_NEAREST_H

/* Returns the name that is most similar to `name`, or NULL when none is similar. `names` ends with
 * NULL. */
const char *steady_nearest_name(const char *name, const char *const *names);

#endif
