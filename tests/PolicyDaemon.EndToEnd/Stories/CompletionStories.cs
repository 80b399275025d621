using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>TAB is pressed in real shells, in a terminal of tmux(1).</summary>
public sealed class CompletionStories : IAsyncLifetime
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-tab-").FullName;

    private string Socket => Path.Combine(directory, "tmux");

    public async ValueTask InitializeAsync()
    {
        var config = Path.Combine(directory, "c.conf");
        await File.WriteAllTextAsync(config, $"[store]\ndatabase = {directory}/policy.db\n");
        await PolicyCtlAsync("init");
        await PolicyCtlAsync("domain", "add", "dane.example", "danube.example", "[mx.relay.test]:587", "--level", "encrypt");
        await PolicyCtlAsync("domain", "add", "pinned.example", "--level", "fingerprint", "--match", new string('a', 64));
    }

    public async ValueTask DisposeAsync()
    {
        await CommandLine.RunAsync(["tmux", "-S", Socket, "kill-server"]);
        // A shell that has lost its terminal writes its history here before it ends.
        await Until.TrueAsync("nothing is written any more", () =>
        {
            try
            {
                Directory.Delete(directory, recursive: true);
                return Task.FromResult(true);
            }
            catch (IOException)
            {
                return Task.FromResult(false);
            }
        });
    }

    public static TheoryData<string, string, string> Lines
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var shell in new[] { "bash", "zsh", "fish" })
            {
                data.Add(shell, "policyctl stat", "policyctl status");
                data.Add(shell, "policyctl --config c.conf domain show pin", "domain show pinned.example");
                data.Add(shell, "policyctl domain add x.example --level fing", "--level fingerprint");
                data.Add(shell, "policyctl query x.example --map tlspolicy-", "--map tlspolicy-tlsrpt");
                data.Add(shell, "policyctl --config c.conf pin revoke pinned.example a", "pinned.example " + new string('a', 64));
                data.Add(shell, "policyctl import c.c", "policyctl import c.conf");
                data.Add(shell, "policyctl --config c.conf domain show \\[m", "[mx.relay.test");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task One_candidate_is_put_in_place(string shell, string typed, string completed)
    {
        await StartAsync(shell);
        await TypeAsync(typed);
        await ShowsAsync(completed, ignoresBackslashes: true);
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Levels_are_offered_and_no_destination_is(string shell)
    {
        await StartAsync(shell);
        await TypeAsync("policyctl --config c.conf domain add x.example --level d");
        // The first one completes what all have in common; bash lists with the second one behind that.
        await CommandLine.RunAsync(["tmux", "-S", Socket, "send-keys", "Tab", "Tab"]);
        await ShowsAsync("dane-only");
        Assert.DoesNotContain("danube.example", await ScreenAsync(), StringComparison.Ordinal);
        if (shell != "bash")
            Assert.Contains("TLSA", await ScreenAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("policyctl --config {0}/c.conf domain list")]
    [InlineData("policyctl --config {0}/c.conf domain list | cat")]
    [InlineData("policyctl --config {0}/c.conf domain list 2> {0}/error")]
    [InlineData("policyd --version; policyctl --config {0}/c.conf domain list")]
    public async Task A_terminal_is_sent_nothing_that_nobody_takes_back(string line)
    {
        var command = $"cd {Repository.Executables}; PATH=.:$PATH; " + line.Replace("{0}", directory, StringComparison.Ordinal);

        var seen = (await CommandLine.RunAsync(["script", "-qec", command, "/dev/null"])).Require();

        Assert.Contains("dane.example", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[?1h", seen, StringComparison.Ordinal);
    }

    private async Task StartAsync(string shell)
    {
        var completion = Path.Combine(Repository.Root, "packaging", "completion");
        var setup = shell switch
        {
            "bash" => $"source {completion}/policyctl.bash; PS1='ready> '",
            "zsh" => $"fpath=({completion} $fpath); autoload -U compinit; compinit -u -d {directory}/zcompdump; PS1='ready> '",
            _ => $"source {completion}/policyctl.fish; function fish_prompt; echo 'ready> '; end",
        };
        string[] command = shell switch
        {
            "bash" => ["bash", "--norc", "--noprofile"],
            "zsh" => ["zsh", "-f"],
            _ => ["fish", "--no-config"],
        };
        var path = $"PATH={Repository.Executables}:/usr/bin:/bin";
        (await CommandLine.RunAsync(["tmux", "-S", Socket, "-f", "/dev/null", "new-session", "-d", "-x", "180", "-y", "40", "-c", directory, "env", path, $"HOME={directory}", .. command])).Require();
        await CommandLine.RunAsync(["tmux", "-S", Socket, "send-keys", "-l", setup + "; clear"]);
        await CommandLine.RunAsync(["tmux", "-S", Socket, "send-keys", "Enter"]);
        await ShowsAsync("ready> ", atLineStart: true);
    }

    private async Task TypeAsync(string text)
    {
        await CommandLine.RunAsync(["tmux", "-S", Socket, "send-keys", "-l", text]);
        await ShowsAsync(text);
        await CommandLine.RunAsync(["tmux", "-S", Socket, "send-keys", "Tab"]);
    }

    /// <summary>Waits until the screen shows a text.</summary>
    private async Task ShowsAsync(string text, bool ignoresBackslashes = false, bool atLineStart = false)
    {
        var screen = "";
        await Until.TrueAsync($"the screen shows \"{text}\"", async () =>
        {
            screen = await ScreenAsync();
            if (ignoresBackslashes)
                screen = screen.Replace("\\", "", StringComparison.Ordinal);
            return atLineStart ? screen.StartsWith(text, StringComparison.Ordinal) : screen.Contains(text, StringComparison.Ordinal);
        }, () => screen);
    }

    private async Task<string> ScreenAsync() => (await CommandLine.RunAsync(["tmux", "-S", Socket, "capture-pane", "-p", "-J"])).Output;

    private async Task PolicyCtlAsync(params string[] arguments) =>
        (await CommandLine.RunAsync([Path.Combine(Repository.Executables, "policyctl"), "--config", Path.Combine(directory, "c.conf"), .. arguments])).Require();
}
