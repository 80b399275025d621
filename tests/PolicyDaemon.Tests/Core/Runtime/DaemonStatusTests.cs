using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using Xunit;

namespace PolicyDaemon.Tests.Core.Runtime;

public sealed class DaemonStatusTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-status").FullName;

    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private static readonly DaemonStatus Example = new(
        "1.0", 7, Now, Now.AddMinutes(1), ["socketmap inet:127.0.0.1:8461"],
        new SnapshotStatus("store", "id", 3, "ab", 2, Now),
        new LookupCounts(1, 2, 3, 4, 5, new ConnectionCounts(6, 5, 4, 3, 2, 1), 7),
        [new FindingJson("near-miss", "[mx.example]:587", "detail", "remedy", Now)]);

    private string StatusFile => Path.Combine(directory, "status");

    [Fact]
    public void A_status_survives_the_file()
    {
        DaemonStatusFile.Write(StatusFile, Example);
        var read = DaemonStatusFile.TryRead(StatusFile);

        Assert.NotNull(read);
        Assert.Equivalent(Example, read, strict: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    public void A_damaged_status_is_none(string content)
    {
        File.WriteAllText(StatusFile, content);

        Assert.Null(DaemonStatusFile.TryRead(StatusFile));
    }

    [Fact]
    public void A_missing_status_is_none()
    {
        Assert.Null(DaemonStatusFile.TryRead(StatusFile));
    }

    [Fact]
    public void A_link_planted_where_a_draft_could_lie_is_not_followed()
    {
        var victim = Path.Combine(directory, "victim");
        File.CreateSymbolicLink(StatusFile + ".new", victim);

        DaemonStatusFile.Write(StatusFile, Example);

        Assert.NotNull(DaemonStatusFile.TryRead(StatusFile));
        Assert.False(File.Exists(victim));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
