using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Core.Runtime;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Doctor;

public sealed class RightsCheckTests : IDisposable
{
    private static readonly UnixUser Service = new("policydaemon", 900, 901, [901, 902]);

    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-rights").FullName;

    [Theory]
    [InlineData(900, 5, "0600", PathUse.Read | PathUse.Write, true)]
    [InlineData(900, 5, "0400", PathUse.Read | PathUse.Write, false)]
    // The owner's class counts for the owner, however much others may.
    [InlineData(900, 5, "0077", PathUse.Read, false)]
    [InlineData(5, 902, "0640", PathUse.Read, true)]
    [InlineData(5, 902, "0640", PathUse.Write, false)]
    [InlineData(5, 5, "0640", PathUse.Read, false)]
    [InlineData(5, 5, "0644", PathUse.Read, true)]
    [InlineData(5, 5, "0755", PathUse.Run, true)]
    public void The_class_that_fits_first_decides(uint owner, uint group, string mode, PathUse use, bool isFine)
    {
        var path = new PathRights("/x/file", "the store", use, [("/x", Of(0, 0, "0755", FileKind.Directory))], Of(owner, group, mode));

        var findings = RightsCheck.Judge(Service, [path], null).ToList();

        Assert.Equal(isFine ? DoctorSeverity.Ok : DoctorSeverity.Problem, Assert.Single(findings).Severity);
        Assert.Equal(isFine, findings[0].Remedy.Count == 0);
    }

    [Fact]
    public void A_directory_on_the_way_that_may_not_be_entered_is_named()
    {
        var path = new PathRights("/x/y/file", "ca_file", PathUse.Read, [("/x", Of(0, 0, "0755", FileKind.Directory)), ("/x/y", Of(0, 0, "0700", FileKind.Directory))], Of(0, 0, "0644"));

        var finding = Assert.Single(RightsCheck.Judge(Service, [path], null));

        Assert.Equal("policydaemon may not read /x/y/file (ca_file): the mode of /x/y is 0700, owner root, group root", finding.Text);
        Assert.Equal(["chmod o+x /x/y"], finding.Remedy);
    }

    [Fact]
    public void A_store_of_root_is_given_back_to_the_daemon()
    {
        var path = new PathRights("/x/policy.db", "the store", PathUse.Read | PathUse.Write, [], Of(0, 0, "0644"));

        Assert.Equal(["chown policydaemon:901 /x/policy.db", "chmod 0660 /x/policy.db"], Assert.Single(RightsCheck.Judge(Service, [path], null)).Remedy);
    }

    [Fact]
    public void What_is_not_there_is_not_in_the_way()
    {
        var finding = Assert.Single(RightsCheck.Judge(Service, [new PathRights("/x/log", "the store", PathUse.Write, [], null)], null));

        Assert.Equal(DoctorSeverity.Ok, finding.Severity);
    }

    [Fact]
    public void A_password_that_everybody_may_read_is_a_warning()
    {
        var secret = new PathRights("/etc/p.conf", "the configuration", PathUse.Read, [], Of(0, 0, "0644"));

        Assert.Equal(["chgrp 901 /etc/p.conf", "chmod 0640 /etc/p.conf"], Assert.Single(RightsCheck.Judge(Service, [], secret), finding => finding.Severity == DoctorSeverity.Warning).Remedy);
        Assert.Equal(DoctorSeverity.Ok, Assert.Single(RightsCheck.Judge(Service, [], secret with { Facts = Of(0, 901, "0640") })).Severity);
    }

    [Fact]
    public void Without_a_known_user_nothing_is_green() => Assert.Equal(DoctorSeverity.Unknown, Assert.Single(RightsCheck.Judge(null, [], null)).Severity);

    [Fact]
    public void Rights_are_read_as_they_are()
    {
        var file = Path.Combine(directory, "file");
        File.WriteAllText(file, "");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupWrite);

        var rights = PathRights.Read(file, "x", PathUse.Read);

        Assert.Equal((UnixFileMode.UserRead | UnixFileMode.GroupWrite, FileKind.Regular), (rights.Facts!.Value.Mode, rights.Facts.Value.Kind));
        Assert.Equal("/", rights.Way[0].Directory);
        Assert.Equal(directory, rights.Way[^1].Directory);
    }

    [Fact]
    public void Users_and_their_groups_are_read_from_the_files()
    {
        string[] passwd = ["root:x:0:0:root:/root:/bin/sh", "postfix:x:105:112::/var/spool/postfix:/usr/sbin/nologin", "broken:x:zero:0"];
        string[] group = ["root:x:0:", "postfix:x:112:", "sasl:x:45:postfix,alice", "other:x:46:alice"];

        var user = UnixUser.Find(fields => fields[0] == "postfix", passwd, group);

        Assert.NotNull(user);
        Assert.Equal((105u, 112u), (user.Id, user.Group));
        Assert.Equal([112u, 45u], user.Groups);
        Assert.Null(UnixUser.Find(fields => fields[0] == "broken", passwd, group));
        Assert.Equal("root", UnixUser.Find(0u)?.Name);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static FileFacts Of(uint owner, uint group, string mode, FileKind kind = FileKind.Regular) =>
        new(kind, owner, 1) { Group = group, Mode = (UnixFileMode)Convert.ToInt32(mode, 8) };
}
