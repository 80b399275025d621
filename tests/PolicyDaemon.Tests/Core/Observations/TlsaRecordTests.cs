using PolicyDaemon.Core.Observations;
using Xunit;

namespace PolicyDaemon.Tests.Core.Observations;

public sealed class TlsaRecordTests
{
    private const string Sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    [Theory]
    [InlineData("3 1 1 " + Sha256, null)]
    [InlineData("2 0 2 " + Sha256 + Sha256, null)]
    [InlineData("0 0 1 " + Sha256, "usage 0 rests on a public authority, which SMTP does not use (RFC 7672 section 3.1.3)")]
    [InlineData("1 1 1 " + Sha256, "usage 1 rests on a public authority, which SMTP does not use (RFC 7672 section 3.1.3)")]
    [InlineData("4 1 1 " + Sha256, "usage 4 is unknown")]
    [InlineData("3 2 1 " + Sha256, "selector 2 is unknown")]
    [InlineData("3 1 3 " + Sha256, "matching type 3 is unknown")]
    [InlineData("3 1 1 00112233", "SHA-256 has 32 octets, the record 4")]
    [InlineData("3 1 2 " + Sha256, "SHA-512 has 64 octets, the record 32")]
    [InlineData("3 0 0 0011223344", "its octets are no certificate")]
    [InlineData("3 1 0 0011223344", "its octets are no public key")]
    public void A_record_that_SMTP_cannot_use_says_why(string record, string? why)
    {
        var parsed = TlsaRecord.Parse(record)!;

        Assert.Equal((why, why is null), (parsed.WhyUnusable, parsed.IsUsable));
    }
}
