/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLINT_SDK_NATIVE_VALUES_H
#define GLINT_SDK_NATIVE_VALUES_H

/* Values as text, for the command line of a guest outside Glint. */
#include <stdio.h>

#include "sdk.h"

const char *native_type_name(uint8_t type);
/* Parses one argument; memory it needs lives until the process ends. False when it is not of that type. */
bool native_parse(uint8_t type, const char *text, struct glint_abi_value *value);
/* Prints a result on stdout: bytes as they are (in hexadecimal on a terminal), all others with a newline. */
void native_print(const struct glint_abi_value *value);
/* Prints a value as it would stand in C. */
void native_print_quoted(FILE *out, const struct glint_abi_value *value);

#endif
