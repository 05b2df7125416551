# SPDX-License-Identifier: Apache-2.0
"""Pools: who gets a sandbox and when, how waiting ends, and that each sandbox is as the snapshot has it."""

import gc
import math
import threading
import time
import unittest
from collections.abc import Callable

from support import BackendTestCase, FakeTestCase, KvmTestCase, live_objects, mirror_functions

import glint
from glint import _objects


def await_(condition: Callable[[], bool]) -> None:
    """Waits for what another thread will certainly do; a test that waits for a minute has failed."""
    limit = time.monotonic() + 60
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError("waited for a minute")
        time.sleep(0.001)


class PoolTestCase(BackendTestCase):
    def pool(self, *, host: dict[str, Callable[..., object]] | None = None, **options: object) -> glint.Pool:
        """A pool of the guest `mirror`; see BackendTestCase.mirror."""
        functions = mirror_functions(self.guest("mirror"), host or {})
        with self.mirror() as sandbox, sandbox.snapshot() as snapshot:
            return glint.Pool(snapshot, functions, **options)

    def poison(self, sandbox: glint.Sandbox) -> None:
        while sandbox.state != glint.State.POISONED:
            with self.assertRaises(glint.DeadlineExceeded):
                sandbox.call("spin", deadline=0.005)

    def waiting(self, pool: glint.Pool, count: int = 1, **options: object) -> tuple[threading.Thread, list[BaseException]]:
        """A thread that waits for a sandbox, and what that raises."""
        raised: list[BaseException] = []

        def work() -> None:
            try:
                pool.acquire(**options).close()
            except Exception as error:
                raised.append(error.with_traceback(None))

        thread = threading.Thread(target=work)
        thread.start()
        await_(lambda: pool.counters.waiting == count)
        return thread, raised


class Pools:
    def test_there_are_as_many_as_its_size_and_they_come_back(self) -> None:
        with self.pool(size=2) as pool:
            self.assertEqual(pool.size, 2)
            with pool.acquire() as one, pool.acquire() as two:
                self.assertEqual([one.call("first", 1, 9), two.call("first", 2, 9)], [1, 2])
                self.assertEqual(pool.counters.in_use, 2)
                for timeout in (0, 0.02):
                    with self.assertRaises(glint.PoolEmpty) as caught:
                        pool.acquire(timeout)
                    self.assertEqual(caught.exception.code, glint.Code.POOL_EMPTY)
            await_(lambda: pool.counters.ready == 2)
            counters = pool.counters
            self.assertEqual((counters.in_use, counters.returned, counters.acquired, counters.waited), (0, 0, 2, 1))
            self.assertEqual(counters.restored + counters.restored_late, 2)
            with pool.acquire(0) as again:
                self.assertEqual(again.call("first", 3, 9), 3)

    def test_a_timeout_waits_that_long(self) -> None:
        with self.pool(size=1) as pool, pool.acquire():
            begin = time.monotonic()
            with self.assertRaises(glint.PoolEmpty):
                pool.acquire(timeout=0.05)
            self.assertGreaterEqual(time.monotonic() - begin, 0.05)

    def test_timeouts_and_sizes_that_make_no_sense_are_refused(self) -> None:
        with self.pool(size=1) as pool:
            for timeout in (-1, -math.inf, math.nan, 1e30):
                with self.subTest(timeout=timeout), self.assertRaisesRegex(ValueError, "it must not be less than 0"):
                    pool.acquire(timeout)
            pool.acquire(math.inf).close()
            for size in (-1, 2**64):
                with self.assertRaisesRegex(ValueError, "idle_memory is"):
                    pool.trim(size)
        for options in ({"size": -1}, {"size": 2**32}, {"warm": -1}, {"idle_memory": -1}):
            with self.subTest(options), self.assertRaises(ValueError):
                self.pool(**options)
        for options in ({"size": 1_000_001}, {"size": 1, "warm": 2}, {"lazy": True, "warm": 1}):
            with self.subTest(options), self.assertRaises(glint.UsageError) as caught:
                self.pool(**options)
            self.assertEqual(caught.exception.code, glint.Code.INVALID_ARGUMENT)

    def test_whatever_became_of_a_sandbox_the_next_one_is_ready(self) -> None:
        for use_thread in (False, True):
            with self.subTest(use_thread=use_thread), self.pool(size=1, use_thread=use_thread) as pool:
                for number in range(3):
                    with pool.acquire() as sandbox:
                        self.assertEqual(sandbox.state, glint.State.READY)
                        self.assertEqual(sandbox.call("first", number, 9), number)
                        self.poison(sandbox)
                self.assertEqual(pool.counters.made, 1)

    def test_who_waits_is_served_in_the_order_of_coming(self) -> None:
        order: list[int] = []

        def work(number: int) -> None:
            with pool.acquire() as sandbox:
                order.append(sandbox.call("first", number, 9))

        with self.pool(size=1) as pool:
            held = pool.acquire()
            threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
            for number, thread in enumerate(threads):
                thread.start()
                await_(lambda: pool.counters.waiting == number + 1)
            held.close()
            for thread in threads:
                thread.join()
            self.assertEqual(order, [0, 1, 2, 3, 4, 5])
            self.assertEqual(pool.counters.waited, 6)

    def test_an_interrupt_ends_the_waiting_and_none_is_lost(self) -> None:
        with self.pool(size=1) as pool, glint.Interrupt() as interrupt:
            held = pool.acquire()
            thread, raised = self.waiting(pool, interrupt=interrupt)
            self.assertEqual(interrupt.raise_(), 1)
            thread.join()
            self.assertEqual([type(error) for error in raised], [glint.Interrupted])
            self.assertEqual(pool.counters.waiting, 0)
            held.close()
            pool.acquire().close()

    def test_closing_ends_the_waiting_and_leaves_what_is_in_use(self) -> None:
        pool = self.pool(size=2)
        one, two = pool.acquire(), pool.acquire()
        first, first_raised = self.waiting(pool)
        second, second_raised = self.waiting(pool, 2)
        pool.close()
        pool.close()
        for thread, raised in ((first, first_raised), (second, second_raised)):
            thread.join()
            self.assertEqual([str(error) for error in raised], ["the pool is closed"])
            self.assertIs(type(raised[0]), ValueError)
        for use in (pool.acquire, pool.trim, lambda: pool.counters):
            with self.assertRaisesRegex(ValueError, "the pool is closed"):
                use()
        self.assertEqual(pool.size, 2)
        self.assertEqual(live_objects()["pools"], 0)
        self.assertEqual(one.call("first", 1, 9), 1)
        one.close()
        self.assertEqual(two.call("first", 2, 9), 2)
        two.close()

    def test_a_forgotten_pool_and_a_forgotten_sandbox_go_by_themselves(self) -> None:
        pool = self.pool(size=1)
        sandbox = pool.acquire()
        del sandbox  # gives it back
        self.assertEqual(pool.counters.in_use, 0)
        sandbox = pool.acquire()
        self.assertEqual(live_objects()["pools"], 1)
        del pool
        self.assertEqual(live_objects()["pools"], 0)
        self.assertEqual(sandbox.call("first", 1, 9), 1)

    def test_it_needs_neither_snapshot_nor_image_nor_functions_any_more(self) -> None:
        image = self.guest("mirror")
        host = mirror_functions(image, {})
        with glint.Sandbox(image, host) as first:
            snapshot = first.snapshot()
        with glint.Pool(snapshot, host, size=2) as pool:
            for part in (snapshot, host, image, self.engine):
                part.close()
            with pool.acquire() as one, pool.acquire() as two:
                self.assertEqual(one.call("first", 1, 9) + two.call("first", 2, 9), 3)

    def test_what_cannot_be_is_refused_and_leaves_nothing(self) -> None:
        with self.mirror() as sandbox, sandbox.snapshot() as snapshot:
            with self.assertRaises(glint.UsageError) as caught:
                glint.Pool(snapshot, {})
            self.assertEqual(caught.exception.code, glint.Code.MISSING_IMPORT)
        with self.assertRaisesRegex(ValueError, "the snapshot is closed"):
            glint.Pool(snapshot, {})
        with self.pool(size=1) as pool:
            kept = _objects.count()
            with pool.acquire(output=print), self.assertRaises(glint.PoolEmpty):
                pool.acquire(0, output=print)
            self.assertEqual(_objects.count(), kept)

    def test_host_functions_are_the_pools(self) -> None:
        told: list[int] = []

        def tells(number: glint.U32) -> None:
            told.append(number)

        with self.pool(size=2, host={"host_tell": tells}) as pool:
            with pool.acquire() as one, pool.acquire() as two:
                one.call("tell", 1)
                two.call("tell", 2)
        self.assertEqual(told, [1, 2])

    def test_a_failed_host_function_raises_in_the_call_and_the_next_one_gets_a_good_sandbox(self) -> None:
        def tells(number: glint.U32) -> None:
            raise LookupError(str(number))

        with self.pool(size=1, host={"host_tell": tells}) as pool:
            for number in range(3):
                with pool.acquire(end_on_host_failure=True) as sandbox:
                    with self.assertRaises(glint.HostFunctionError) as caught:
                        sandbox.call("tell", number)
                    self.assertEqual(str(caught.exception.__cause__), str(number))
                    self.assertEqual(sandbox.state, glint.State.POISONED)
            with pool.acquire(restore_each_call=True) as sandbox:
                with self.assertRaises(glint.Error):
                    sandbox.call("tell", 4)
                self.assertEqual(sandbox.call("first", 5, 9), 5)

    def test_a_sandbox_is_given_back_when_its_call_ends(self) -> None:
        entered, closed = threading.Event(), threading.Event()

        def waits(number: glint.U32) -> None:
            entered.set()
            closed.wait()

        with self.pool(size=1, host={"host_tell": waits}) as pool:
            sandbox = pool.acquire()
            thread = threading.Thread(target=sandbox.call, args=("tell", 1))
            thread.start()
            entered.wait()
            sandbox.close()
            self.assertEqual(pool.counters.in_use, 1)
            with self.assertRaises(glint.PoolEmpty):
                pool.acquire(0)
            closed.set()
            thread.join()
            self.assertEqual(pool.counters.in_use, 0)
            pool.acquire(0).close()

    def test_many_threads_share_a_few(self) -> None:
        inside: list[int] = []
        failed: list[BaseException] = []
        most = 0

        def work(number: int) -> None:
            nonlocal most
            try:
                for turn in range(50):
                    with pool.acquire() as sandbox:
                        inside.append(number)
                        most = max(most, len(inside))
                        self.assertEqual(sandbox.call("first", number * 1000 + turn, 9), number * 1000 + turn)
                        inside.remove(number)
            except BaseException as error:
                failed.append(error)

        with self.pool(size=3) as pool:
            threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                gc.collect()
                time.sleep(0.005)
            self.assertEqual(failed, [])
            self.assertLessEqual(most, 3)
            counters = pool.counters
            self.assertEqual((counters.acquired, counters.in_use, counters.waiting, counters.replaced), (400, 0, 0, 0))
            self.assertLessEqual(counters.live, 3)


class PoolsOnFake(Pools, PoolTestCase, FakeTestCase):
    pass


class PoolsOnKvm(Pools, PoolTestCase, KvmTestCase):
    pass


class Contents(KvmTestCase):
    def dirt(self, **options: object) -> glint.Pool:
        """A pool of a guest that has counted to one."""
        with self.guest("dirt") as image, glint.Sandbox(image) as sandbox:
            self.assertEqual(sandbox.call("count"), 1)
            with sandbox.snapshot() as snapshot:
                return glint.Pool(snapshot, **options)

    def test_each_begins_with_the_snapshot_however_the_one_before_ended(self) -> None:
        for use_thread in (False, True):
            with self.subTest(use_thread=use_thread), self.dirt(size=1, use_thread=use_thread) as pool:
                for end in (0, 2, 3, 4, 5, 8):  # a return, a fault, an abort, an exit, an overflow, a lost thread pointer
                    with pool.acquire() as sandbox:
                        self.assertEqual(sandbox.call("count"), 2)
                        try:
                            sandbox.call("dirty", 7, 20, end)
                        except glint.Error:
                            self.assertNotEqual(end, 0)
                self.assertEqual(pool.counters.replaced, 0)

    def test_output_and_what_it_raises_are_those_of_the_one_who_has_it(self) -> None:
        with self.guest("libc") as image, glint.Sandbox(image) as made, made.snapshot() as snapshot:
            printed: list[bytes] = []
            with glint.Pool(snapshot, size=1, use_thread=False) as pool:
                kept = _objects.count()
                with pool.acquire(output=lambda stream, data: printed.append(data)) as sandbox:
                    sandbox.call("print_lines", 3)
                self.assertEqual(_objects.count(), kept)
                self.assertTrue(b"".join(printed))
                size = len(printed)
                with pool.acquire() as sandbox:
                    sandbox.call("print_lines", 3)
                self.assertEqual(len(printed), size)

                def fails(stream: int, data: bytes) -> None:
                    raise LookupError("gone")

                with self.assertRaisesRegex(LookupError, "gone"), pool.acquire(output=fails) as sandbox:
                    sandbox.call("print_lines", 3)

    def test_idle_memory_is_given_up(self) -> None:
        with self.dirt(size=4, use_thread=False) as pool:
            held = [pool.acquire() for _ in range(4)]
            for sandbox in held:
                sandbox.call("touch", 64)
            for sandbox in held:
                sandbox.close()
            before = pool.counters
            self.assertGreaterEqual(before.idle_memory, 4 * 64 * 4096)
            self.assertEqual(before.ready, 4)
            pool.trim(before.idle_memory // 2)
            self.assertLessEqual(pool.counters.idle_memory, before.idle_memory // 2)
            pool.trim()
            self.assertEqual(pool.counters.idle_memory, 0)
            self.assertEqual(pool.counters.dropped, 4)
            with pool.acquire(0) as sandbox:
                self.assertEqual(sandbox.call("count"), 2)
        with self.dirt(size=1, use_thread=False, idle_memory=4096) as pool:
            with pool.acquire() as sandbox:
                sandbox.call("touch", 64)
            self.assertEqual((pool.counters.dropped, pool.counters.idle_memory), (1, 0))

    def test_a_lazy_pool_makes_one_and_a_warm_one_as_many_as_it_is_told(self) -> None:
        for options, made in (({"lazy": True}, 1), ({"warm": 3}, 3)):
            with self.subTest(options), self.dirt(size=4, **options) as pool:
                self.assertEqual(pool.counters.made, made)


if __name__ == "__main__":
    unittest.main()
