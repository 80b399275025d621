using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using PolicyDaemon.Core.Destinations.Idna;
using Xunit;

namespace PolicyDaemon.Tests.Core.Destinations.Idna;

public sealed class Uts46IcuTests
{
    [Fact]
    public void Recorded_names_are_answered_as_ICU_answers_them_for_Postfix()
    {
        string[] wrong = [.. IcuVectors.Names
            .Select(vector => (vector.Name, vector.Ascii, Ours: Uts46Tests.ToAscii(vector.Name)))
            .Where(vector => vector.Ours != vector.Ascii)
            .Select(vector => $"{Uri.EscapeDataString(vector.Name)}: {vector.Ours ?? "-"}, ICU {vector.Ascii ?? "-"}")];
        Assert.Empty(wrong);
    }

    /// <summary>Planes 0 to 3 and E; between and after them nothing is assigned but private use.</summary>
    [Fact]
    public void Every_code_point_between_two_letters_is_answered_as_by_ICU()
    {
        List<string> wrong = [];
        foreach ((int first, string digest) in IcuVectors.Blocks)
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (int code = first; code < first + 0x1000; code++)
            {
                if (Rune.IsValid(code))
                    hash.AppendData(Encoding.ASCII.GetBytes((Uts46Tests.ToAscii($"a{new Rune(code)}b") ?? "-") + "\n"));
            }
            if (!Convert.ToHexStringLower(hash.GetHashAndReset()).StartsWith(digest, StringComparison.Ordinal))
                wrong.Add(first.ToString("X", CultureInfo.InvariantCulture));
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void No_input_throws_and_every_answer_maps_to_itself() =>
        Gen.OneOf(
                Gen.Byte.Array[0, 300],
                Gen.String[0, 80].Select(Encoding.UTF8.GetBytes),
                Gen.Char["abxn-.019\u00FC\u0308\u0301\u0323\u1100\u1161\u11A8\u200D\u3002\u05D0\u0130\uFB03"].Array[0, 60]
                    .Select(chars => Encoding.UTF8.GetBytes(chars)),
                Gen.Char["abcdefghijklmnopqrstuvwxyz0123456789-"].Array[1, 16]
                    .Select(chars => Encoding.UTF8.GetBytes("xn--" + new string(chars) + ".\u00FC")))
            .Sample(utf8 =>
            {
                string? ascii = Uts46Tests.ToAscii(utf8);
                if (ascii is null)
                    return true;
                return Uts46Tests.ToAscii(ascii) == ascii
                    && Uts46Tests.ToAscii(Uts46.ToUnicode(ascii)) == ascii
                    && ascii.Length <= Uts46.MaxNameBytes;
            }, seed: "0000KX5nP7d3", iter: 20_000, threads: 1);
}
