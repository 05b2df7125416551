// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Glint.Native;

namespace Glint;

/// <summary>How grave a <see cref="DoctorItem"/> is.</summary>
public enum DoctorSeverity
{
    /// <summary>As it should be.</summary>
    Ok = 0,

    /// <summary>A fact worth knowing.</summary>
    Note = 1,

    /// <summary>Sandboxes cannot run until it is mended.</summary>
    Problem = 2,
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Severity">How grave it is.</param>
/// <param name="Name">Short and stable: "kernel", "kvm_device", "open_files", …</param>
/// <param name="Detail">What was found.</param>
/// <param name="Advice">What to do; may be empty.</param>
public sealed record DoctorItem(DoctorSeverity Severity, string Name, string Detail, string Advice);

/// <summary>What this machine can do: is KVM there, how does it behave, which limits are near.</summary>
public sealed unsafe class DoctorReport
{
    private DoctorReport(bool isUsable, DoctorItem[] items)
    {
        IsUsable = isUsable;
        Items = items;
    }

    /// <summary>Whether sandboxes can run here.</summary>
    public bool IsUsable { get; }

    /// <summary>What was looked at.</summary>
    public IReadOnlyList<DoctorItem> Items { get; }

    /// <summary>Examines the machine. Succeeds also when nothing works.</summary>
    /// <returns>The report.</returns>
    /// <exception cref="NativeLibraryException">libglint.so is missing or of another version.</exception>
    public static DoctorReport Examine()
    {
        LibraryCheck.Ensure();
        nint doctor = 0;
        nint error = 0;
        using DoctorHandle handle = new();
        Failure.ThrowIfFailed(NativeMethods.DoctorCreate(&doctor, &error), error);
        handle.Initialize(doctor);
        var items = new DoctorItem[NativeMethods.DoctorCount(handle)];
        for (uint i = 0; i < items.Length; i++)
        {
            NativeDoctorItem item = new() { StructSize = (uint)sizeof(NativeDoctorItem) };
            Failure.ThrowIfFailed(NativeMethods.DoctorGet(handle, i, &item, &error), error);
            items[i] = new DoctorItem((DoctorSeverity)item.Severity, Text.ToString(item.Name),
                Text.ToString(item.Detail), Text.ToString(item.Advice));
        }

        return new DoctorReport(NativeMethods.DoctorUsable(handle) != 0, items);
    }
}
