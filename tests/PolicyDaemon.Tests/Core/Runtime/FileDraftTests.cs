using PolicyDaemon.Core.Runtime;
using Xunit;

namespace PolicyDaemon.Tests.Core.Runtime;

public sealed class FileDraftTests : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-draft").FullName;

    private string Target => Path.Combine(directory, "table");

    private IEnumerable<string?> Names => Directory.EnumerateFileSystemEntries(directory).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    [Fact]
    public void It_takes_its_name_when_it_is_whole()
    {
        File.WriteAllText(Target, "old");
        using var draft = FileDraft.Create(Target, Private);
        draft.Stream.Write("new"u8);
        Assert.Equal("old", File.ReadAllText(Target));

        draft.Replace();

        // Readable at once, though the draft is still in its maker's hand.
        Assert.Equal("new", File.ReadAllText(Target));
        Assert.Equal(Private, File.GetUnixFileMode(Target));
        Assert.Equal(["table"], Names);
    }

    [Fact]
    public void It_goes_where_it_does_not_take_its_name()
    {
        using (var draft = FileDraft.Create(Target, null))
            draft.Stream.Write("new"u8);

        Assert.Empty(Names);
    }

    [Fact]
    public void It_publishes_over_nothing()
    {
        File.WriteAllText(Target, "precious");
        using (var draft = FileDraft.Create(Target, null))
            Assert.Throws<IOException>(draft.Publish);

        Assert.Equal("precious", File.ReadAllText(Target));
        Assert.Equal(["table"], Names);
    }

    [Fact]
    public void A_link_under_the_targets_name_is_replaced_and_not_followed()
    {
        var victim = Path.Combine(directory, "victim");
        File.WriteAllText(victim, "precious");
        File.CreateSymbolicLink(Target, victim);
        using (var draft = FileDraft.Create(Target, null))
        {
            draft.Stream.Write("new"u8);
            draft.Replace();
        }

        Assert.Equal("precious", File.ReadAllText(victim));
        Assert.Equal("new", File.ReadAllText(Target));
    }

    [Fact]
    public void No_two_have_the_same_name()
    {
        using var one = FileDraft.Create(Target, null);
        using var other = FileDraft.Create(Target, null);

        Assert.NotEqual(one.Path, other.Path);
        Assert.Equal(directory, Path.GetDirectoryName(one.Path));
    }

    [Fact]
    public void A_sweep_removes_what_a_killed_process_left_and_nothing_else()
    {
        using var alive = FileDraft.Create(Target, null);
        var dead = Path.Combine(directory, $".policydaemon-{Guid.NewGuid():N}.draft");
        File.WriteAllText(dead, "half a store");
        File.WriteAllText(dead + "-journal", "and what SQLite wrote beside it");
        var linked = Path.Combine(directory, $".policydaemon-{Guid.NewGuid():N}.draft");
        File.CreateSymbolicLink(linked, Target);
        string[] others = [".policydaemon-x.draft", ".policydaemon-0123456789abcdef0123456789abcdef", "policy.db"];
        foreach (var other in others)
            File.WriteAllText(Path.Combine(directory, other), "somebody else's");

        FileDraft.Sweep(directory);

        Assert.Equal(
            ((string[])[Path.GetFileName(alive.Path), Path.GetFileName(linked), .. others]).Order(StringComparer.Ordinal), Names);
    }

    [Fact]
    public void A_sweep_of_nowhere_is_nothing() => FileDraft.Sweep(Path.Combine(directory, "none"));

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
