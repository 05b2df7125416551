/* SPDX-License-Identifier: Apache-2.0 */
/* Prints how the compiler lays the public structs out, for bindings to compare their own with. A line each:
 *
 *   STRUCT - 0 SIZE             the whole struct, before its fields
 *   STRUCT FIELD OFFSET SIZE    in bytes; fields within a field are written as.i32, as.bytes.data
 *
 * What is declared and not printed here fails the lane `abi`. */
#include <stddef.h>
#include <stdio.h>

#include "glint/glint.h"

#define WHOLE(type) printf(#type " - 0 %zu\n", sizeof(type))
#define FIELD(type, field) \
  printf(#type " " #field " %zu %zu\n", offsetof(type, field), sizeof(((type *)0)->field))

static void print_base(void) {
  WHOLE(glint_str);
  FIELD(glint_str, data);
  FIELD(glint_str, size);

  WHOLE(glint_value);
  FIELD(glint_value, type);
  FIELD(glint_value, reserved);
  FIELD(glint_value, as);
  FIELD(glint_value, as.boolean);
  FIELD(glint_value, as.i32);
  FIELD(glint_value, as.u32);
  FIELD(glint_value, as.i64);
  FIELD(glint_value, as.u64);
  FIELD(glint_value, as.f32);
  FIELD(glint_value, as.f64);
  FIELD(glint_value, as.bytes);
  FIELD(glint_value, as.bytes.data);
  FIELD(glint_value, as.bytes.size);

  WHOLE(glint_live_objects);
  FIELD(glint_live_objects, struct_size);
  FIELD(glint_live_objects, reserved);
  FIELD(glint_live_objects, engines);
  FIELD(glint_live_objects, images);
  FIELD(glint_live_objects, sandboxes);
  FIELD(glint_live_objects, interrupts);
  FIELD(glint_live_objects, errors);
  FIELD(glint_live_objects, doctors);
  FIELD(glint_live_objects, host_function_sets);
  FIELD(glint_live_objects, host_functions);
  FIELD(glint_live_objects, host_tokens);
  FIELD(glint_live_objects, snapshots);
  FIELD(glint_live_objects, pools);
}

static void print_error(void) {
  WHOLE(glint_fault);
  FIELD(glint_fault, struct_size);
  FIELD(glint_fault, vector);
  FIELD(glint_fault, signal);
  FIELD(glint_fault, reserved);
  FIELD(glint_fault, address);
  FIELD(glint_fault, instruction);
  FIELD(glint_fault, error_code);
  FIELD(glint_fault, symbol_offset);
  FIELD(glint_fault, name);
  FIELD(glint_fault, access);
  FIELD(glint_fault, symbol);
}

static void print_engine(void) {
  WHOLE(glint_engine_options);
  FIELD(glint_engine_options, struct_size);
  FIELD(glint_engine_options, backend);
  FIELD(glint_engine_options, max_shells);
  FIELD(glint_engine_options, kick_signal);
  FIELD(glint_engine_options, deadline_ns);
  FIELD(glint_engine_options, max_vms);
  FIELD(glint_engine_options, reserved);

  WHOLE(glint_engine_counters);
  FIELD(glint_engine_counters, struct_size);
  FIELD(glint_engine_counters, reserved);
  FIELD(glint_engine_counters, vms_created);
  FIELD(glint_engine_counters, vms_live);
  FIELD(glint_engine_counters, sandboxes_created);
  FIELD(glint_engine_counters, sandboxes_live);
  FIELD(glint_engine_counters, attaches);
  FIELD(glint_engine_counters, parks);

  WHOLE(glint_doctor_item);
  FIELD(glint_doctor_item, struct_size);
  FIELD(glint_doctor_item, severity);
  FIELD(glint_doctor_item, name);
  FIELD(glint_doctor_item, detail);
  FIELD(glint_doctor_item, advice);
}

static void print_image(void) {
  WHOLE(glint_file);
  FIELD(glint_file, path);
  FIELD(glint_file, data);
  FIELD(glint_file, size);
  FIELD(glint_file, reserved);

  WHOLE(glint_image_options);
  FIELD(glint_image_options, struct_size);
  FIELD(glint_image_options, flags);
  FIELD(glint_image_options, memory_size);
  FIELD(glint_image_options, stack_size);
  FIELD(glint_image_options, files);
  FIELD(glint_image_options, file_count);

  WHOLE(glint_function_info);
  FIELD(glint_function_info, struct_size);
  FIELD(glint_function_info, kind);
  FIELD(glint_function_info, function);
  FIELD(glint_function_info, result);
  FIELD(glint_function_info, param_count);
  FIELD(glint_function_info, reserved);
  FIELD(glint_function_info, params);
  FIELD(glint_function_info, name);

  WHOLE(glint_segment_info);
  FIELD(glint_segment_info, struct_size);
  FIELD(glint_segment_info, writable);
  FIELD(glint_segment_info, executable);
  FIELD(glint_segment_info, reserved);
  FIELD(glint_segment_info, address);
  FIELD(glint_segment_info, size);
  FIELD(glint_segment_info, what);

  WHOLE(glint_image_info);
  FIELD(glint_image_info, struct_size);
  FIELD(glint_image_info, pie);
  FIELD(glint_image_info, entry);
  FIELD(glint_image_info, memory_size);
  FIELD(glint_image_info, stack_size);
  FIELD(glint_image_info, heap_size);
  FIELD(glint_image_info, segment_count);
  FIELD(glint_image_info, symbol_count);
}

static void print_sandbox(void) {
  WHOLE(glint_syscall);
  FIELD(glint_syscall, number);
  FIELD(glint_syscall, arguments);
  FIELD(glint_syscall, result);
  FIELD(glint_syscall, unknown);
  FIELD(glint_syscall, reserved);
  FIELD(glint_syscall, name);

  WHOLE(glint_sandbox_options);
  FIELD(glint_sandbox_options, struct_size);
  FIELD(glint_sandbox_options, flags);
  FIELD(glint_sandbox_options, arguments);
  FIELD(glint_sandbox_options, argument_count);
  FIELD(glint_sandbox_options, environment);
  FIELD(glint_sandbox_options, environment_count);
  FIELD(glint_sandbox_options, output);
  FIELD(glint_sandbox_options, output_user_data);
  FIELD(glint_sandbox_options, output_destroy);
  FIELD(glint_sandbox_options, input);
  FIELD(glint_sandbox_options, input_user_data);
  FIELD(glint_sandbox_options, input_destroy);
  FIELD(glint_sandbox_options, trace);
  FIELD(glint_sandbox_options, trace_user_data);
  FIELD(glint_sandbox_options, trace_destroy);
  FIELD(glint_sandbox_options, max_depth);
  FIELD(glint_sandbox_options, reserved);
  FIELD(glint_sandbox_options, tenant);

  WHOLE(glint_call_options);
  FIELD(glint_call_options, struct_size);
  FIELD(glint_call_options, reserved);
  FIELD(glint_call_options, deadline_ns);
  FIELD(glint_call_options, interrupt);

  WHOLE(glint_sandbox_counters);
  FIELD(glint_sandbox_counters, struct_size);
  FIELD(glint_sandbox_counters, reserved);
  FIELD(glint_sandbox_counters, calls);
  FIELD(glint_sandbox_counters, host_calls);
  FIELD(glint_sandbox_counters, exits);
  FIELD(glint_sandbox_counters, ioctls);
  FIELD(glint_sandbox_counters, attaches);
  FIELD(glint_sandbox_counters, unknown_syscalls);
  FIELD(glint_sandbox_counters, output_bytes);
  FIELD(glint_sandbox_counters, restores);
  FIELD(glint_sandbox_counters, restored_pages);
}

static void print_snapshot(void) {
  WHOLE(glint_snapshot_info);
  FIELD(glint_snapshot_info, struct_size);
  FIELD(glint_snapshot_info, reserved);
  FIELD(glint_snapshot_info, memory_size);
  FIELD(glint_snapshot_info, stored_size);
}

static void print_pool(void) {
  WHOLE(glint_pool_options);
  FIELD(glint_pool_options, struct_size);
  FIELD(glint_pool_options, flags);
  FIELD(glint_pool_options, size);
  FIELD(glint_pool_options, warm);
  FIELD(glint_pool_options, idle_memory);
  FIELD(glint_pool_options, tenant);

  WHOLE(glint_acquire_options);
  FIELD(glint_acquire_options, struct_size);
  FIELD(glint_acquire_options, reserved);
  FIELD(glint_acquire_options, wait_ns);
  FIELD(glint_acquire_options, interrupt);
  FIELD(glint_acquire_options, sandbox);

  WHOLE(glint_pool_counters);
  FIELD(glint_pool_counters, struct_size);
  FIELD(glint_pool_counters, size);
  FIELD(glint_pool_counters, live);
  FIELD(glint_pool_counters, in_use);
  FIELD(glint_pool_counters, ready);
  FIELD(glint_pool_counters, returned);
  FIELD(glint_pool_counters, waiting);
  FIELD(glint_pool_counters, idle_memory);
  FIELD(glint_pool_counters, acquired);
  FIELD(glint_pool_counters, waited);
  FIELD(glint_pool_counters, restored);
  FIELD(glint_pool_counters, restored_late);
  FIELD(glint_pool_counters, made);
  FIELD(glint_pool_counters, replaced);
  FIELD(glint_pool_counters, dropped);
}

int main(void) {
  print_base();
  print_error();
  print_engine();
  print_image();
  print_sandbox();
  print_snapshot();
  print_pool();
  return fflush(stdout) == 0 ? 0 : 1;
}
