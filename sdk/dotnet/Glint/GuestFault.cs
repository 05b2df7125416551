// SPDX-License-Identifier: Apache-2.0
using Glint.Native;

namespace Glint;

/// <summary>Where and how a guest faulted. Addresses are the guest's.</summary>
public sealed class GuestFault
{
    internal GuestFault(in NativeFault fault)
    {
        // The number of an exception is 0 … 255; the guest's own signals have none.
        Vector = fault.Vector == uint.MaxValue ? null : (int)fault.Vector;
        Signal = fault.Signal;
        Address = fault.Address;
        Instruction = fault.Instruction;
        ErrorCode = fault.ErrorCode;
        SymbolOffset = fault.SymbolOffset;
        Name = Text.ToString(fault.Name);
        Access = Text.ToString(fault.Access);
        Symbol = Text.ToString(fault.Symbol);
    }

    /// <summary>The number of the x86 exception; null when the guest sent itself a signal.</summary>
    public int? Vector { get; }

    /// <summary>The signal that Linux would have raised: 4, 6, 8, 11, …</summary>
    public int Signal { get; }

    /// <summary>Page fault: the address touched; else that of the instruction.</summary>
    public ulong Address { get; }

    /// <summary>Where the guest was.</summary>
    public ulong Instruction { get; }

    /// <summary>As the processor reported it; 0 where there is none.</summary>
    public ulong ErrorCode { get; }

    /// <summary>Bytes from the start of <see cref="Symbol"/> to <see cref="Instruction"/>.</summary>
    public ulong SymbolOffset { get; }

    /// <summary>"page fault", "invalid opcode", …</summary>
    public string Name { get; }

    /// <summary>Page fault: "read", "write" or "execute"; else empty.</summary>
    public string Access { get; }

    /// <summary>The nearest function symbol; empty when unknown.</summary>
    public string Symbol { get; }
}
