using PolicyDaemon.Administration.Queue;
using PolicyDaemon.Core.Destinations;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Queue;

/// <summary>postqueue and postconf as scripts, which do what the real ones do on a bad day.</summary>
public sealed class PostqueueTests : IDisposable
{
    private const string Message = """{"queue_name": "deferred", "queue_id": "4bQ", "arrival_time": 1795961977, "recipients": [{"address": "a@one.example"}]}""";

    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-queue").FullName;

    [Fact]
    public void What_waits_is_read_with_the_lifetime_of_the_queue()
    {
        Script("postconf", "echo 5d");
        Script("postqueue", $"echo '{Message}'; echo '{Message}'");
        var mail = Postqueue.Waiting(TimeSpan.FromMinutes(1), Place)!;
        Assert.Equal((2, true, TimeSpan.FromDays(5)), (mail.Messages, mail.IsWhole, mail.Lifetime));
    }

    [Fact]
    public void Without_Postfix_or_without_the_right_nothing_is_known()
    {
        Assert.Null(Postqueue.Waiting(TimeSpan.FromMinutes(1), Place));
        Script("postconf", "echo 5d");
        Script("postqueue", "echo 'postqueue: fatal: you are not allowed' >&2; exit 69");
        Assert.Null(Postqueue.Waiting(TimeSpan.FromMinutes(1), Place));
    }

    [Theory]
    [InlineData("exec sleep 1000", 0)]
    [InlineData("echo '" + Message + "'; exec sleep 1000", 1)]
    [InlineData("echo '" + Message + "'; exec > /dev/null; exec sleep 1000", 1)]
    [InlineData("echo error >&2; echo '" + Message + "'; exec yes '   '", 1)]
    public void Who_does_not_end_is_ended_and_what_was_read_counts(string script, int messages)
    {
        Script("postconf", "exec sleep 1000");
        Script("postqueue", script);
        var mail = Postqueue.Waiting(TimeSpan.FromMilliseconds(500), Place)!;
        Assert.Equal((messages, false, null), (mail.Messages, mail.IsWhole, mail.Lifetime));
        Assert.Null(mail.MessagesOf(NextHop.Parse("two.example")));
    }

    [Fact]
    public void A_lifetime_without_an_end_is_none()
    {
        Script("postconf", "exec yes 5d");
        Script("postqueue", $"echo '{Message}'");
        var mail = Postqueue.Waiting(TimeSpan.FromMinutes(1), Place)!;
        Assert.Equal((1, true, null), (mail.Messages, mail.IsWhole, mail.Lifetime));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private string Place(string program) => Path.Combine(directory, program);

    private void Script(string program, string commands)
    {
        File.WriteAllText(Place(program), $"#!/bin/sh\n{commands}\n");
        File.SetUnixFileMode(Place(program), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
