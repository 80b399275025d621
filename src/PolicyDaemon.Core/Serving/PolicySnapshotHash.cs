using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace PolicyDaemon.Core.Serving;

/// <summary>SipHash-1-3 under a secret key: whoever chooses keys cannot choose where they fall.</summary>
/// <remarks>See J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF"; one round per word and three at the end.</remarks>
internal readonly struct PolicySnapshotHash(ulong key0, ulong key1)
{
    /// <remarks>
    /// From identifiers, whose bits the kernel's random generator makes, because RandomNumberGenerator would load OpenSSL: four
    /// megabytes and some milliseconds of every start. Six bits of an identifier are fixed, so two of them are folded into one key.
    /// </remarks>
    public static PolicySnapshotHash Random()
    {
        Span<Guid> identifiers = [Guid.NewGuid(), Guid.NewGuid()];
        var words = MemoryMarshal.Cast<Guid, ulong>(identifiers);
        return new(words[0] ^ BitOperations.RotateLeft(words[2], 32), words[1] ^ BitOperations.RotateLeft(words[3], 32));
    }

    public ulong Compute(ReadOnlySpan<byte> octets)
    {
        var v0 = key0 ^ 0x736f6d6570736575;
        var v1 = key1 ^ 0x646f72616e646f6d;
        var v2 = key0 ^ 0x6c7967656e657261;
        var v3 = key1 ^ 0x7465646279746573;
        var last = (ulong)octets.Length << 56;
        while (octets.Length >= 8)
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(octets);
            v3 ^= word;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
            octets = octets[8..];
        }

        for (var at = 0; at < octets.Length; at++)
            last |= (ulong)octets[at] << (8 * at);
        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;
        v2 ^= 0xff;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v2 += v3;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
