// SPDX-License-Identifier: Apache-2.0
namespace System.Runtime.CompilerServices;

/// <summary>What records need from the run time, and netstandard2.0 does not have.</summary>
internal static class IsExternalInit;
