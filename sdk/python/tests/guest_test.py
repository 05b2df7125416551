# SPDX-License-Identifier: Apache-2.0
"""What guests do, which only real ones can: errors, faults, printing, ending."""

import unittest

from support import GUESTS, KvmTestCase, TestCase, mirror_functions

import glint


class Guests(KvmTestCase):
    def faults(self) -> glint.Sandbox:
        return glint.Sandbox(self.guest("faults"))

    def test_an_error_of_the_guest_has_its_code_and_text(self) -> None:
        image = self.guest("callbacks")
        sandbox = glint.Sandbox(image, mirror_functions(image, {}))
        with self.assertRaisesRegex(glint.GuestError, "no such key") as caught:
            sandbox.call("error_out", 42, "no such key")
        self.assertEqual(caught.exception.code, glint.Code.GUEST_ERROR)
        self.assertEqual(caught.exception.guest_code, 42)
        self.assertIsNone(caught.exception.fault)
        self.assertIsNone(caught.exception.__cause__)
        self.assertEqual(sandbox.state, glint.State.READY)

    def test_a_fault_has_details(self) -> None:
        sandbox = self.faults()
        with self.assertRaises(glint.GuestFault) as caught:
            sandbox.call("null_write")
        fault = caught.exception.fault
        self.assertEqual(caught.exception.code, glint.Code.GUEST_FAULT)
        self.assertEqual((fault.vector, fault.signal, fault.address, fault.access), (14, 11, 0, "write"))
        self.assertEqual(fault.name, "page fault")
        self.assertEqual(sandbox.state, glint.State.POISONED)

    def test_a_fault_names_the_function(self) -> None:
        with self.assertRaises(glint.GuestFault) as caught:
            self.faults().call("invalid_opcode")
        self.assertEqual(caught.exception.fault.symbol, "invalid_opcode")
        self.assertEqual(caught.exception.fault.access, "")

    def test_an_abort_is_told_from_a_fault(self) -> None:
        with self.assertRaises(glint.GuestFault) as caught:
            self.faults().call("call_abort")
        self.assertEqual((caught.exception.code, caught.exception.fault.signal), (glint.Code.GUEST_ABORT, 6))

    def test_running_out_of_memory_is_told_from_a_fault(self) -> None:
        with self.assertRaises(glint.GuestFault) as caught:
            self.faults().call("oom_abort")
        self.assertEqual(caught.exception.code, glint.Code.GUEST_OUT_OF_MEMORY)

    def test_a_poisoned_sandbox_refuses_calls(self) -> None:
        sandbox = self.faults()
        for kind in (glint.GuestFault, glint.UsageError):
            with self.assertRaises(kind):
                sandbox.call("invalid_opcode")

    def test_what_is_printed_before_a_fault_arrives(self) -> None:
        printed = []
        sandbox = glint.Sandbox(self.guest("faults"), output=lambda stream, data: printed.append((stream, data)))
        with self.assertRaises(glint.GuestFault):
            sandbox.call("print_then_fault")
        texts = {stream: b"".join(data for number, data in printed if number == stream) for stream in (1, 2)}
        self.assertEqual(texts, {1: b"on stdout, before the fault\nwritten, without a newline",
                                 2: b"on stderr, before the fault\n"})

    def test_a_program_runs_to_its_end(self) -> None:
        printed = []
        with glint.Sandbox(self.guest("status"), arguments=["status", "7", "naïve"],
                           output=lambda stream, data: printed.append(data)) as sandbox:
            self.assertEqual(sandbox.run(), 7)
            self.assertEqual(sandbox.state, glint.State.ENDED)
        self.assertEqual(b"".join(printed).decode(), "naïve")

    def test_a_program_that_waits_for_calls_has_no_status(self) -> None:
        sandbox = self.faults()
        self.assertEqual(sandbox.state, glint.State.NEW)
        self.assertIsNone(sandbox.run())
        self.assertEqual(sandbox.call("fine"), 42)

    def test_an_exception_of_the_output_function_comes_out_of_the_call(self) -> None:
        def prints(stream: int, data: bytes) -> None:
            raise OSError("the disk is full")

        sandbox = glint.Sandbox(self.guest("status"), arguments=["status", "0", "text"], output=prints)
        with self.assertRaisesRegex(OSError, "the disk is full"):
            sandbox.run()
        self.assertEqual(sandbox.run(), 0)

    def test_files_and_environment_arrive(self) -> None:
        image = self.engine.load(GUESTS / "libc", files={"/data/text": b"content"})
        self.assertIsNone(glint.Sandbox(image, environment={"NAME": "value"}).run())

    def test_memory_is_kept_from_call_to_call_and_apart_from_other_sandboxes(self) -> None:
        image = self.guest("state")
        first, second = glint.Sandbox(image), glint.Sandbox(image, tenant="another")
        self.assertEqual([first.call("increment") for _ in range(3)], [1, 2, 3])
        self.assertEqual(second.call("counter"), 0)

    def test_the_default_backend_is_kvm(self) -> None:
        with glint.Engine() as engine:
            self.assertEqual(engine.backend, "kvm")


class Refused(TestCase):
    def test_a_sandbox_without_a_hypervisor_is_refused(self) -> None:
        with glint.Engine("none") as engine, self.assertRaises(glint.MachineError):
            glint.Sandbox(engine.load(GUESTS / "faults")).run()

    def test_an_output_function_is_given_up_when_the_sandbox_is_refused(self) -> None:
        with glint.Engine("none") as engine, self.assertRaises(glint.Error):
            glint.Sandbox(engine.load(GUESTS / "callbacks"), output=lambda stream, data: None)

    def test_arguments_that_do_not_fit_are_refused(self) -> None:
        with glint.Engine("fake") as engine, self.assertRaises(glint.UsageError) as caught:
            glint.Sandbox(engine.load(GUESTS / "faults"), arguments=["x" * 10**6])
        self.assertEqual(caught.exception.code, glint.Code.TOO_LARGE)


if __name__ == "__main__":
    unittest.main()
