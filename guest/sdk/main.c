/* SPDX-License-Identifier: Apache-2.0 */
/* In an archive member of its own: a main() of the program's own takes its place. */
#include "glint_guest/glint_guest.h"

int main(void) { return glint_serve(); }
